"""Every kind of fault that a manifest may have is found: each is made on purpose, one at a time."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import kubernetes_checks as checks
from tests.deploy import kubernetes_pods as pods
from tests.deploy.kubernetes_network import foreign, may_connect, own
from tests.deploy.kubernetes_resources import MANIFESTS, Resource, Workload, named, of_kind, render, workload

Change = Callable[[list[Resource]], object]


@cache
def _rendered(overlay: str) -> list[Resource]:
    return render(MANIFESTS / "overlays" / overlay)


def on(component: str, change: Callable[[Workload], object]) -> Change:
    """A change of one workload."""
    return lambda resources: change(workload(resources, component))


def put(path: str, value: Any, start: Callable[[list[Resource]], Any]) -> Change:
    """Put a value at a path of keys, from what ``start`` finds."""

    def change(resources: list[Resource]) -> None:
        place = start(resources)
        *keys, last = path.split(".")
        for key in keys:
            place = place[int(key) if isinstance(place, list) else key]
        place[last] = value

    return change


def in_container(path: str, value: Any, component: str = "api") -> Change:
    return put(path, value, lambda resources: workload(resources, component).container)


def in_pod(path: str, value: Any, component: str = "api") -> Change:
    return put(path, value, lambda resources: workload(resources, component).pod)


def in_spec(kind: str, name: str, path: str, value: Any) -> Change:
    return put(path, value, lambda resources: named(resources, kind, name)["spec"])


def in_settings(name: str, value: str) -> Change:
    """A setting of the API."""

    def change(resources: list[Resource]) -> None:
        used = workload(resources, "api").container["envFrom"][0]["configMapRef"]["name"]
        named(resources, "ConfigMap", used)["data"][name] = value

    return change


def drop(kind: str, name: str) -> Change:
    return lambda resources: resources.remove(named(resources, kind, name))


def secret(resources: list[Resource]) -> None:
    metadata = {"name": "database", "namespace": "image-classifier"}
    resources.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})


def without(option: str, component: str) -> Change:
    """A command without one option and its value."""

    def change(one: Workload) -> None:
        place = one.container["command"].index(option)
        del one.container["command"][place : place + 2]

    return on(component, change)


FULL: list[tuple[checks.Check, Change, str]] = [
    (pods.schema, in_spec("Deployment", "api", "replicaz", 3), "Deployment/api is not valid in Kubernetes 1.30"),
    (pods.schema, in_container("livenessProbe.periodSeconds", "often"), "Deployment/api is not valid in Kubernetes 1.37"),
    (pods.images, in_container("image", "image_classifier:latest"), "runs 'image_classifier:latest'"),
    (pods.images, in_container("image", "image_classifier"), "runs 'image_classifier'"),
    (pods.images, in_container("image", "image_classifier_ui:0.1.0"), "not a version of image_classifier"),
    (pods.restricted, in_pod("securityContext.runAsNonRoot", False), "runAsNonRoot is False"),
    (pods.restricted, in_pod("securityContext.runAsUser", 0, "page"), "Deployment/page: runAsUser is 0"),
    (pods.restricted, in_pod("securityContext.seccompProfile", {"type": "Unconfined"}), "seccompProfile"),
    (pods.restricted, in_container("securityContext.capabilities", {"add": ["NET_RAW"]}), "capabilities"),
    (pods.restricted, in_container("securityContext.readOnlyRootFilesystem", False), "readOnlyRootFilesystem"),
    (pods.restricted, in_container("securityContext.allowPrivilegeEscalation", True), "allowPrivilegeEscalation"),
    (pods.restricted, in_pod("automountServiceAccountToken", True), "automountServiceAccountToken"),
    (pods.restricted, in_pod("hostNetwork", True), "uses hostNetwork"),
    (pods.restricted, in_pod("volumes", [{"name": "tmp", "emptyDir": {}}]), "the volume tmp"),
    (pods.restricted, in_pod("volumes", [{"name": "host", "hostPath": {"path": "/"}}]), "the volume host"),
    (pods.restricted, in_container("volumeMounts", [{"name": "tmp", "mountPath": "/temp"}]), "no writable /tmp"),
    (pods.sizes, in_container("resources", {}), "lacks a request or limit"),
    (pods.sizes, in_container("resources.limits.memory", "2Gi"), "the memory limit is not the request"),
    (pods.sizes, in_settings("MAX_BODY_BYTES_IN_FLIGHT", str(2**30)), "1Gi of memory are less than"),
    (pods.sizes, in_settings("WORKERS", "4"), "4 workers share 2 CPUs"),
    (pods.probes, in_container("readinessProbe.httpGet.path", "/livez"), "the readinessProbe asks"),
    (pods.probes, in_container("livenessProbe.httpGet.path", "/readyz"), "the livenessProbe asks"),
    (pods.probes, in_container("startupProbe", None), "no startupProbe"),
    (pods.probes, in_container("startupProbe.failureThreshold", 5), "the startupProbe gives up after 10 s"),
    (pods.probes, in_container("livenessProbe.failureThreshold", 1), "the livenessProbe gives up after 10 s"),
    (pods.probes, in_container("ports.0.containerPort", 8080), "at 3000"),
    (pods.shutdown, in_container("lifecycle", {}), "preStop sleeps 0 s"),
    (pods.shutdown, in_pod("terminationGracePeriodSeconds", 35), "35 s of grace"),
    (pods.shutdown, in_settings("DEADLINE_SECONDS", "30"), "exceed 30 s"),
    (pods.settings, in_settings("DRAIN_SECOND", "5"), "there is no setting DRAIN_SECOND"),
    (pods.settings, in_settings("DRAIN_SECONDS", "60"), "drain_seconds: Input should be less than or equal to 15"),
    (pods.settings, in_container("env.0.name", "APIKEY", "page"), "there is no setting APIKEY"),
    (pods.commands, without("--timeout-keep-alive", "api"), "closes idle connections before its callers"),
    (
        checks.availability,
        in_spec("Deployment", "api", "strategy.rollingUpdate.maxUnavailable", 1),
        "an update takes a pod away",
    ),
    (checks.availability, in_spec("Deployment", "api", "strategy", {"type": "Recreate"}), "an update takes a pod away"),
    (checks.availability, in_spec("PodDisruptionBudget", "api", "maxUnavailable", 3), "leaves 0 of 3 pods"),
    (checks.availability, in_spec("PodDisruptionBudget", "page", "minAvailable", 2), "leaves 2 of 2 pods"),
    (checks.availability, in_spec("Deployment", "api", "replicas", 3), "every kubectl apply would reset"),
    (checks.availability, in_spec("HorizontalPodAutoscaler", "api", "scaleTargetRef.name", "app"), "which does not exist"),
    (checks.availability, in_pod("topologySpreadConstraints", []), "all pods on one node"),
    (checks.references, in_spec("Service", "api", "selector", {"app": "api"}), "Service/api selects no pod"),
    (checks.references, in_spec("Service", "api", "ports.0.targetPort", "web"), "leads to the port web"),
    (checks.references, in_spec("PodDisruptionBudget", "api", "selector.matchLabels", {"app": "api"}), "selects no pod"),
    (checks.references, in_spec("NetworkPolicy", "postgresql", "podSelector.matchLabels", {"app": "db"}), "selects no pod"),
    (checks.references, in_spec("Deployment", "api", "selector.matchLabels", {"app": "api"}), "does not select its own pods"),
    (checks.references, in_container("envFrom.0.configMapRef.name", "other"), "settings from other"),
    (checks.references, in_spec("Ingress", "api", "rules.0.http.paths.0.backend.service.name", "app"), "which does not exist"),
    (checks.references, in_spec("Ingress", "page", "tls", []), "has no TLS for draw.example.org"),
    (checks.references, in_spec("ServiceMonitor", "api", "endpoints.0.port", "metrics"), "finds no Service"),
    (checks.references, secret, "for everybody to read"),
    (checks.sessions, in_spec("Service", "page", "sessionAffinity", "None"), "sends a visitor to any pod"),
    (
        checks.sessions,
        put("metadata.annotations", {}, lambda resources: named(resources, "Ingress", "page")),
        "Ingress/page sends a visitor to any pod",
    ),
    (checks.sessions, in_spec("Ingress", "page", "rules.0.host", "page.example.org"), "the page UI_HOSTS=draw.example.org"),
    (
        checks.measured,
        in_spec("HorizontalPodAutoscaler", "api", "metrics.0.pods.metric.name", "waiting_images"),
        "scales by waiting_images",
    ),
    (
        checks.measured,
        in_spec("PrometheusRule", "image-classifier", "groups.0.rules.0.expr", "image_classifier_waiting > 0"),
        "uses image_classifier_waiting",
    ),
    (
        checks.namespaces,
        put("metadata.namespace", "default", lambda found: named(found, "Service", "api")),
        "another namespace",
    ),
    (checks.namespaces, put("metadata.labels", {}, lambda found: next(of_kind(found, "Namespace"))), "not restricted"),
]
SPLIT: list[tuple[checks.Check, Change, str]] = [
    (pods.commands, without("--depends", "api"), "calls None, not http://runner:3000"),
    (pods.commands, in_spec("Service", "runner", "ports.0.port", 3001), "not http://runner:3001"),
    (pods.commands, without("--service-name", "runner"), "serves None"),
    (pods.commands, in_container("env", [], "runner"), "has no IMAGE_CLASSIFIER_RUNNER_KEY"),
    (pods.probes, in_container("livenessProbe.httpGet.path", "/healthz", "runner"), "the livenessProbe asks"),
]


@pytest.mark.parametrize(
    ("overlay", "check", "change", "fault"),
    [("full", *case) for case in FULL] + [("split-runner", *case) for case in SPLIT],
)
def test_fault_is_found(overlay: str, check: checks.Check, change: Change, fault: str) -> None:
    resources = deepcopy(_rendered(overlay))
    assert list(check(resources)) == []
    change(resources)
    assert any(fault in found for found in check(resources)), list(check(resources))


@pytest.mark.parametrize("check", checks.CHECKS)
def test_every_check_can_fail(check: checks.Check) -> None:
    assert check in {case[0] for case in FULL + SPLIT}


@pytest.mark.parametrize("policy", ["runner", "default-deny"])
def test_runner_without_its_policy_is_still_closed_to_others(policy: str) -> None:
    resources = deepcopy(_rendered("split-runner"))
    drop("NetworkPolicy", policy)(resources)
    assert not may_connect(resources, foreign(), own("runner"), 3000)
    drop("NetworkPolicy", {"runner": "default-deny", "default-deny": "runner"}[policy])(resources)
    assert may_connect(resources, foreign(), own("runner"), 3000)


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("base/kustomization.yaml", "page.yaml", "pages.yaml", "pages.yaml"),
        ("base/api.yaml", "kind: Deployment", "kind Deployment", "yaml"),
        ("overlays/gpu/api.yaml", "name: api\nspec", "name: app\nspec", "no matches"),
        ("overlays/gpu/kustomization.yaml", "behavior: merge", "behavior: join", "behavior must be merge or replace"),
    ],
)
def test_broken_kustomization_does_not_build(tmp_path: Path, file: str, before: str, after: str, message: str) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "kubernetes")
    broken = tmp_path / "kubernetes" / file
    text = broken.read_text()
    assert before in text
    broken.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=message):
        render(tmp_path / "kubernetes" / "overlays" / "gpu")

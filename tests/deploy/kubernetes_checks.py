"""What the resources of deploy/kubernetes must fulfil together: each check yields one line for each fault."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from serving.process import metrics
from tests.deploy.kubernetes_pods import PODS
from tests.deploy.kubernetes_resources import (
    Resource,
    environment,
    label,
    named,
    of_kind,
    pod_labels,
    selects,
    workload,
    workloads,
)

METRIC: Final = re.compile(r"\bimage_classifier_\w+")  # recorded names have a colon instead

Check = Callable[[list[Resource]], Iterator[str]]


def availability(resources: list[Resource]) -> Iterator[str]:
    """No update or node drain takes all pods away, and pods spread over nodes."""
    replicas = {label(one): int(one["spec"].get("replicas", 1)) for one in of_kind(resources, "Deployment")}
    for scaler in of_kind(resources, "HorizontalPodAutoscaler"):
        target = f"{scaler['spec']['scaleTargetRef']['kind']}/{scaler['spec']['scaleTargetRef']['name']}"
        if target not in replicas:
            yield f"{label(scaler)} scales {target}, which does not exist"
        elif "replicas" in named(resources, *target.split("/"))["spec"]:
            yield f"{target} has replicas, which every kubectl apply would reset"
        replicas[target] = scaler["spec"]["minReplicas"]
    for one in of_kind(resources, "Deployment"):
        update = one["spec"].get("strategy", {}).get("rollingUpdate", {})
        if update.get("maxUnavailable") != 0 or not update.get("maxSurge"):
            yield f"{label(one)}: an update takes a pod away before another is ready: {update}"
        if replicas[label(one)] > 1 and not one["spec"]["template"]["spec"].get("topologySpreadConstraints"):
            yield f"{label(one)} may have all pods on one node"
    for budget in of_kind(resources, "PodDisruptionBudget"):
        for target, count in replicas.items():
            if selects(
                budget["spec"]["selector"], named(resources, *target.split("/"))["spec"]["template"]["metadata"]["labels"]
            ):
                left = budget["spec"].get("minAvailable", count - budget["spec"].get("maxUnavailable", 0))
                if not 0 < left < count:
                    yield f"{label(budget)} leaves {left} of {count} pods of {target}"


def references(resources: list[Resource]) -> Iterator[str]:
    """Selectors, backends, ports, ConfigMaps and service accounts name what exists; no Secret is in the manifests."""
    yield from (f"{label(one)} is in the manifests, for everybody to read" for one in of_kind(resources, "Secret"))
    pods, maps = pod_labels(resources), {one["metadata"]["name"] for one in of_kind(resources, "ConfigMap")}
    for one in workloads(resources):
        template = one.resource["spec"]["template"]["metadata"]["labels"]
        constraints = [entry["labelSelector"] for entry in one.pod.get("topologySpreadConstraints", [])]
        if not all(selects(selector, template) for selector in (one.resource["spec"]["selector"], *constraints)):
            yield f"{one.name} does not select its own pods"
        yield from (
            f"{one.name} has settings from {entry['configMapRef']['name']}, which does not exist"
            for entry in one.container.get("envFrom", [])
            if entry["configMapRef"]["name"] not in maps
        )
    selectors = [(one, {"matchLabels": one["spec"]["selector"]}) for one in of_kind(resources, "Service")]
    selectors += [(one, one["spec"]["selector"]) for one in of_kind(resources, "PodDisruptionBudget")]
    selectors += [(one, one["spec"]["podSelector"]) for one in of_kind(resources, "NetworkPolicy")]
    yield from (f"{label(one)} selects no pod" for one, by in selectors if not any(selects(by, labels) for labels in pods))
    yield from _ports(resources)


def _ports(resources: list[Resource]) -> Iterator[str]:
    services = {one["metadata"]["name"]: one for one in of_kind(resources, "Service")}
    ports = {name: {port["name"] for port in one["spec"]["ports"]} for name, one in services.items()}
    for name, service in services.items():
        component = service["spec"]["selector"].get("app.kubernetes.io/component")
        listening = [
            port["name"] for one in workloads(resources) if one.component == component for port in one.container["ports"]
        ]
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in listening:
                yield f"Service/{name} leads to the port {port['targetPort']}, which {component} does not have"
    for ingress in of_kind(resources, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            if rule["host"] not in {host for entry in ingress["spec"].get("tls", []) for host in entry["hosts"]}:
                yield f"{label(ingress)} has no TLS for {rule['host']}"
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                if backend["port"]["name"] not in ports.get(backend["name"], ()):
                    yield f"{label(ingress)} leads to {backend}, which does not exist"
    for monitor in of_kind(resources, "ServiceMonitor"):
        found = [name for name, one in services.items() if selects(monitor["spec"]["selector"], one["metadata"]["labels"])]
        if not found or any(endpoint["port"] not in ports[name] for name in found for endpoint in monitor["spec"]["endpoints"]):
            yield f"{label(monitor)} finds no Service with its ports"


def sessions(resources: list[Resource]) -> Iterator[str]:
    """A visitor of the page stays with one pod."""
    if named(resources, "Service", "page")["spec"].get("sessionAffinity") != "ClientIP":
        yield "Service/page sends a visitor to any pod"
    for ingress in of_kind(resources, "Ingress"):
        backends = {path["backend"]["service"]["name"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]}
        hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
        page = environment(resources, workload(resources, "page"))
        if "page" in backends and ingress["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/affinity") != "cookie":
            yield f"{label(ingress)} sends a visitor to any pod"
        if "page" in backends and set(page.get("UI_HOSTS", "").split(",")) != hosts:
            yield f"{label(ingress)} has the names {hosts}, the page UI_HOSTS={page.get('UI_HOSTS')}"


def measured(resources: list[Resource]) -> Iterator[str]:
    """Scaling and alerts use metrics that the service has."""
    exported = {
        family.name
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
    }
    for scaler in of_kind(resources, "HorizontalPodAutoscaler"):
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Pods" and metric["pods"]["metric"]["name"] not in exported:
                yield f"{label(scaler)} scales by {metric['pods']['metric']['name']}, which /metrics does not have"
    for rules in of_kind(resources, "PrometheusRule"):
        for rule in (rule for group in rules["spec"]["groups"] for rule in group["rules"]):
            for name in METRIC.findall(rule["expr"]):
                if re.sub("_(total|bucket|count|sum)$", "", name) not in exported:
                    yield f"{label(rules)}: {rule.get('alert')} uses {name}, which /metrics does not have"


def namespaces(resources: list[Resource]) -> Iterator[str]:
    """Everything is in one namespace, which accepts restricted pods alone."""
    (namespace,) = of_kind(resources, "Namespace")
    if namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "The namespace accepts pods that are not restricted"
    for one in resources:
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != namespace["metadata"]["name"]:
            yield f"{label(one)} is in another namespace"


CHECKS: Final[tuple[Check, ...]] = (*PODS, availability, references, sessions, measured, namespaces)


def faults(resources: list[Resource]) -> list[str]:
    """The faults that all checks find."""
    return [fault for check in CHECKS for fault in check(resources)]

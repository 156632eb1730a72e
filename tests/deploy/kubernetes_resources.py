"""The Kubernetes resources that an overlay of deploy/kubernetes renders to: its pods, their environment, labels."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.processes import ROOT

MANIFESTS = ROOT / "deploy" / "kubernetes"
OVERLAYS = ["base", "overlays/cpu", "overlays/gpu", "overlays/split-runner", "overlays/full"]
COMPONENT = "app.kubernetes.io/component"
WORKLOADS = ("Deployment", "StatefulSet")
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": 0.001, "": 1}

Resource = dict[str, Any]


class Workload(NamedTuple):
    """A Deployment or StatefulSet, with its pod's specification and its only container."""

    name: str
    component: str
    resource: Resource
    pod: dict[str, Any]
    container: dict[str, Any]


def render(folder: Path) -> list[Resource]:
    """What `kubectl kustomize` makes of a folder.

    Raises:
        ValueError: kustomize refused it, with its message.
    """
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is missing; Kubernetes' own, 1.21 or newer, builds kustomize components")
    built = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    if built.returncode:
        raise ValueError(built.stderr)
    return list(yaml.safe_load_all(built.stdout))


def of_kind(resources: list[Resource], *kinds: str) -> Iterator[Resource]:
    """The resources of some kinds."""
    return (resource for resource in resources if resource["kind"] in kinds)


def named(resources: list[Resource], kind: str, name: str) -> Resource:
    """The resource of a kind and name."""
    return next(resource for resource in of_kind(resources, kind) if resource["metadata"]["name"] == name)


def label(resource: Resource) -> str:
    """``Kind/name``, for messages."""
    return f"{resource['kind']}/{resource['metadata']['name']}"


def workloads(resources: list[Resource]) -> Iterator[Workload]:
    """All workloads."""
    for resource in of_kind(resources, *WORKLOADS):
        template = resource["spec"]["template"]
        (container,) = template["spec"]["containers"]
        component = template["metadata"]["labels"].get(COMPONENT, "")
        yield Workload(label(resource), component, resource, template["spec"], container)


def workload(resources: list[Resource], component: str) -> Workload:
    """The workload of a component: api, page, runner or postgresql."""
    return next(found for found in workloads(resources) if found.component == component)


def pod_labels(resources: list[Resource]) -> list[dict[str, str]]:
    """The labels of the pods of every workload."""
    return [one.resource["spec"]["template"]["metadata"]["labels"] for one in workloads(resources)]


def environment(resources: list[Resource], one: Workload) -> dict[str, str]:
    """The environment of a container by name: values of ConfigMaps and its own, and ``<secret>`` for those of Secrets."""
    found: dict[str, str] = {}
    for source in one.container.get("envFrom", []):
        found |= named(resources, "ConfigMap", source["configMapRef"]["name"])["data"]
    for entry in one.container.get("env", []):
        found[entry["name"]] = entry.get("value", "<secret>")
    return found


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number: bytes, CPUs."""
    number = text.rstrip("KMGim")
    return float(number) * UNITS[text[len(number) :]]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector with ``matchLabels`` alone, or an empty one, selects what has the labels."""
    assert set(selector) <= {"matchLabels"}, selector
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())

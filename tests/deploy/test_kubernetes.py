"""The Kubernetes manifests build, are valid in three versions of Kubernetes, and agree with the service."""

from functools import cache

import pytest
import yaml

from serving.process import metrics
from tests.deploy.kubernetes_checks import faults
from tests.deploy.kubernetes_network import foreign, may_connect, own
from tests.deploy.kubernetes_resources import MANIFESTS, OVERLAYS, Resource, environment, of_kind, render, workload, workloads

API, PAGE, RUNNER, POSTGRESQL = own("api"), own("page"), own("runner"), own("postgresql")
CLIENT, OTHER = foreign(**{"image-classifier/client": "true"}), foreign(**{"kubernetes.io/metadata.name": "default"})
PROMETHEUS = foreign(**{"kubernetes.io/metadata.name": "monitoring"})
EVERYBODY = (API, PAGE, RUNNER, POSTGRESQL, CLIENT, OTHER, PROMETHEUS)


@cache
def rendered(overlay: str) -> list[Resource]:
    return render(MANIFESTS / overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_manifests_have_no_fault(overlay: str) -> None:
    assert faults(rendered(overlay)) == []


def test_every_overlay_and_component_is_tested() -> None:
    folders = {str(file.parent.relative_to(MANIFESTS)) for file in MANIFESTS.rglob("kustomization.yaml")}
    assert {folder for folder in folders if not folder.startswith("components/")} == set(OVERLAYS)
    full = yaml.safe_load((MANIFESTS / "overlays/full/kustomization.yaml").read_text())
    components = {folder for folder in folders if folder.startswith("components/")}
    assert components == {entry.removeprefix("../../") for entry in full["components"]}


@pytest.mark.parametrize(
    ("overlay", "components"),
    [
        ("base", {"api", "page"}),
        ("overlays/cpu", {"api", "page"}),
        ("overlays/gpu", {"api", "page"}),
        ("overlays/split-runner", {"api", "page", "runner"}),
        ("overlays/full", {"api", "page", "postgresql"}),
    ],
)
def test_pods_of_each_overlay(overlay: str, components: set[str]) -> None:
    assert {one.component for one in workloads(rendered(overlay))} == components


def test_gpu_is_where_the_models_are() -> None:
    for overlay, component in (("overlays/gpu", "api"), ("overlays/split-runner", "runner")):
        one = workload(rendered(overlay), component)
        assert one.container["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert one.container["image"].endswith("-gpu")
        assert environment(rendered(overlay), one)["DEVICE"] == "gpu"
    for overlay in ("overlays/cpu", "overlays/split-runner"):
        one = workload(rendered(overlay), "api")
        assert "nvidia.com/gpu" not in one.container["resources"]["limits"]
        assert not one.container["image"].endswith("-gpu")


def test_service_scales_by_images_in_flight_and_cpu() -> None:
    (scaler,) = of_kind(rendered("overlays/full"), "HorizontalPodAutoscaler")
    in_flight, cpu = scaler["spec"]["metrics"]
    (family,) = metrics.images_in_flight.describe()
    assert in_flight["pods"]["metric"]["name"] == family.name
    assert (cpu["type"], cpu["resource"]["name"]) == ("Resource", "cpu")
    (rule,) = yaml.safe_load((MANIFESTS / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    assert rule["seriesQuery"].partition("{")[0] == rule["name"]["matches"] == rule["name"]["as"] == family.name


def test_with_keys_page_and_prometheus_have_one() -> None:
    full = rendered("overlays/full")
    assert environment(full, workload(full, "page"))["API_KEY"] == "<secret>"
    (monitor,) = of_kind(full, "ServiceMonitor")
    assert monitor["spec"]["endpoints"][0]["authorization"]["credentials"]["name"] == "metrics-api-key"
    file = environment(full, workload(full, "api"))["API_KEYS_FILE"]
    mounts = {mount["mountPath"]: mount for mount in workload(full, "api").container["volumeMounts"]}
    assert mounts[file.rpartition("/")[0]]["readOnly"]


def test_runner_is_reached_by_the_api_alone() -> None:
    split = rendered("overlays/split-runner")
    assert [peer for peer in EVERYBODY if may_connect(split, peer, RUNNER, 3000)] == [API]
    assert not may_connect(split, API, RUNNER, 3001)
    assert not any(may_connect(split, RUNNER, peer, 3000) for peer in EVERYBODY)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_api_and_page_are_reached_by_clients_alone(overlay: str) -> None:
    resources = rendered(overlay)
    monitored = [PROMETHEUS] if overlay == "overlays/full" else []
    assert [peer for peer in EVERYBODY if may_connect(resources, peer, API, 3000)] == [PAGE, CLIENT, *monitored]
    assert [peer for peer in EVERYBODY if may_connect(resources, peer, PAGE, 8501)] == [CLIENT]
    assert not may_connect(resources, CLIENT, API, 22)


def test_database_is_reached_by_the_api_alone() -> None:
    full = rendered("overlays/full")
    assert [peer for peer in EVERYBODY if may_connect(full, peer, POSTGRESQL, 5432)] == [API]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_connect_to_nothing_else(overlay: str) -> None:
    allowed = [(PAGE, 3000)]
    allowed += [(API, 3000)] if overlay == "overlays/split-runner" else []
    allowed += [(API, 5432)] if overlay == "overlays/full" else []
    connects = [
        (pod, port)
        for pod in (API, PAGE)
        for port in (80, 443, 3000, 5432)
        if any(may_connect(rendered(overlay), pod, peer, port) for peer in EVERYBODY)
    ]
    assert sorted(connects, key=str) == sorted(allowed, key=str)

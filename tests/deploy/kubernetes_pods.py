"""What every pod of deploy/kubernetes must fulfil: each check yields one line for each fault.

They stand where checkov would: its policies know nothing of this service, and it would bring 100 packages into the lock file.
"""

from collections.abc import Iterator
from typing import Any, Final

import kubernetes_validate
from pydantic import ValidationError

from serving.bento.service_options import RUNNER_NAME, SERVICE_NAME
from serving.process.shutdown import LAST_READ_SECONDS
from serving.settings import Settings
from serving.startup import RUNNER_KEY
from tests.deploy.kubernetes_resources import Resource, Workload, environment, label, named, quantity, workloads

# The oldest that has everything, one between, and the newest.
VERSIONS = ("1.30", "1.34", "1.37")
CUSTOM = ("ServiceMonitor", "PrometheusRule")
IMAGES = {"api": "image_classifier", "runner": "image_classifier", "page": "image_classifier_ui", "postgresql": "postgres"}
USERS = {"api": 1034, "runner": 1034, "page": 1034, "postgresql": 999}
PORTS = {"api": Settings.model_fields["port"].default, "runner": Settings.model_fields["port"].default, "page": 8501}
PATHS = {"api": ("/livez", "/readyz", "/livez"), "runner": ("/livez", "/readyz", "/livez"), "page": ("/_stcore/health",) * 3}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# Variables besides those of Settings; the page's are in ui/__main__.py.
OTHER_SETTINGS = {"BENTOML_DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY", "CUDA_CACHE_PATH", "CUDA_CACHE_MAXSIZE", RUNNER_KEY}
PAGE_SETTINGS = {"API_ADDRESS", "API_KEY", "UI_HOSTS", "UI_PORT"}
# Seconds from SIGTERM until the parent kills its processes (docs/operations.md, Shutdown).
KILL_SECONDS = 30
START_SECONDS = {"api": 120, "runner": 300, "page": 120, "postgresql": 120}
HANG_SECONDS = 60
# Bytes: the parent, a worker with all models and its gallery responses (docs/operations.md, Memory).
PARENT_BYTES, WORKER_BYTES, GALLERY_BYTES = 120 * 2**20, 165 * 2**20, 64 * 2**20


def schema(resources: list[Resource]) -> Iterator[str]:
    """Every resource is valid, without unknown fields, in all of ``VERSIONS``."""
    for resource in resources:
        for version in VERSIONS if resource["kind"] not in CUSTOM else ():
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{label(resource)} is not valid in Kubernetes {version}: {error.message}"


def images(resources: list[Resource]) -> Iterator[str]:
    """Each workload runs its image in a fixed version."""
    for one in workloads(resources):
        name, _, tag = one.container["image"].partition(":")
        if name != IMAGES[one.component] or tag in ("", "latest"):
            yield f"{one.name} runs {one.container['image']!r}, not a version of {IMAGES[one.component]}"


def restricted(resources: list[Resource]) -> Iterator[str]:
    """The pod security standard `restricted`, and a read-only root, no token of Kubernetes, no inherited service addresses."""
    for one in workloads(resources):
        pod, container = one.pod.get("securityContext", {}), one.container.get("securityContext", {})
        wanted = [
            (pod.get("runAsNonRoot"), True, "runAsNonRoot"),
            (pod.get("runAsUser"), USERS[one.component], "runAsUser"),
            (pod.get("fsGroup"), USERS[one.component], "fsGroup"),
            (pod.get("seccompProfile"), {"type": "RuntimeDefault"}, "seccompProfile"),
            (container.get("allowPrivilegeEscalation"), False, "allowPrivilegeEscalation"),
            (container.get("readOnlyRootFilesystem"), True, "readOnlyRootFilesystem"),
            (container.get("capabilities"), {"drop": ["ALL"]}, "capabilities"),
            (one.pod.get("automountServiceAccountToken"), False, "automountServiceAccountToken"),
            (one.pod.get("enableServiceLinks"), False, "enableServiceLinks"),
            (one.pod.get("serviceAccountName"), "image-classifier", "serviceAccountName"),
        ]
        yield from (f"{one.name}: {name} is {is_!r}, not {must!r}" for is_, must, name in wanted if is_ != must)
        for host in ("hostNetwork", "hostPID", "hostIPC"):
            if one.pod.get(host):
                yield f"{one.name} uses {host}"
        yield from _volumes(one)


def _volumes(one: Workload) -> Iterator[str]:
    for volume in one.pod.get("volumes", []):
        if not set(volume) & {"emptyDir", "secret"} or ("emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]):
            yield f"{one.name}: the volume {volume['name']} is neither a Secret nor an emptyDir of limited size"
    if "/tmp" not in {mount["mountPath"] for mount in one.container["volumeMounts"]}:
        yield f"{one.name} has no writable /tmp"


def sizes(resources: list[Resource]) -> Iterator[str]:
    """Every container has requests and limits; the API's fit its workers and settings."""
    for one in workloads(resources):
        requests, limits = one.container["resources"].get("requests", {}), one.container["resources"].get("limits", {})
        if not {"cpu", "memory", "ephemeral-storage"} <= set(requests) & set(limits):
            yield f"{one.name} lacks a request or limit of CPU, memory or storage"
        elif requests["memory"] != limits["memory"]:
            yield f"{one.name}: the memory limit is not the request, so that a full node may kill it"
        elif one.component == "api":
            yield from _fits(resources, one)


def _fits(resources: list[Resource], api: Workload) -> Iterator[str]:
    settings, limits = settings_of(resources, api), api.container["resources"]["limits"]
    bodies, tmp = settings.max_body_bytes_in_flight, next(one for one in api.pod["volumes"] if one["name"] == "tmp")
    needed = PARENT_BYTES + settings.workers * (WORKER_BYTES + GALLERY_BYTES) + bodies
    needed += int(quantity(tmp["emptyDir"]["sizeLimit"])) if tmp["emptyDir"].get("medium") == "Memory" else 0
    if quantity(limits["memory"]) < needed:
        yield f"{api.name}: {limits['memory']} of memory are less than the {needed / 2**20:.0f} MiB that the settings allow"
    if quantity(limits["cpu"]) < settings.workers:
        yield f"{api.name}: {settings.workers} workers share {limits['cpu']} CPUs"


def probes(resources: list[Resource]) -> Iterator[str]:
    """Probes ask the paths that mean it, at the port that the service listens on, and give it the time it needs."""
    for one in workloads(resources):
        ports = {port["name"]: port["containerPort"] for port in one.container["ports"]}
        for kind, path in zip(PROBES, PATHS.get(one.component, (None,) * 3), strict=True):
            probe = one.container.get(kind)
            if probe is None:
                yield f"{one.name} has no {kind}"
            elif path and (probe["httpGet"]["path"] != path or ports.get(probe["httpGet"]["port"]) != PORTS[one.component]):
                yield f"{one.name}: the {kind} asks {probe['httpGet']}, not {path} at {PORTS[one.component]}"
            elif _seconds(probe) < {"startupProbe": START_SECONDS[one.component], "livenessProbe": HANG_SECONDS}.get(kind, 0):
                yield f"{one.name}: the {kind} gives up after {_seconds(probe)} s"


def _seconds(probe: dict[str, Any]) -> int:
    return int(probe["periodSeconds"]) * int(probe.get("failureThreshold", 3))


def shutdown(resources: list[Resource]) -> Iterator[str]:
    """A pod is removed from its Service before it stops, and has time to answer what it accepted."""
    for one in workloads(resources):
        if one.component == "postgresql":
            continue
        wait = one.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        grace = one.pod.get("terminationGracePeriodSeconds", 30)
        if wait < 5:
            yield f"{one.name}: preStop sleeps {wait} s, while requests still arrive"
        if one.component != "page":
            settings = settings_of(resources, one)
            drain = settings.drain_seconds + LAST_READ_SECONDS + settings.deadline_seconds
            if drain > KILL_SECONDS:
                yield f"{one.name}: DRAIN_SECONDS and DEADLINE_SECONDS exceed {KILL_SECONDS} s, when processes are killed"
            if grace <= wait + max(drain, KILL_SECONDS):
                yield f"{one.name}: {grace} s of grace are not more than preStop and the drain"
        elif grace <= wait:
            yield f"{one.name}: {grace} s of grace are not more than preStop"


def settings_of(resources: list[Resource], one: Workload) -> Settings:
    """The settings of an API or runner container, checked as the service does."""
    known = {name.lower(): value for name, value in environment(resources, one).items() if value != "<secret>"}
    return Settings(**{name: value for name, value in known.items() if name in Settings.model_fields})  # type: ignore[arg-type]


def settings(resources: list[Resource]) -> Iterator[str]:
    """Every variable is a setting, and every value valid."""
    for one in workloads(resources):
        if one.component == "postgresql":
            continue
        known = PAGE_SETTINGS if one.component == "page" else OTHER_SETTINGS | {name.upper() for name in Settings.model_fields}
        unknown = set(environment(resources, one)) - known
        yield from (f"{one.name}: there is no setting {name}" for name in sorted(unknown))
        try:
            if one.component != "page":
                settings_of(resources, one)
        except ValidationError as error:
            yield f"{one.name}: {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"


def commands(resources: list[Resource]) -> Iterator[str]:
    """Connections are kept longer than callers keep them, and an API without a runner of its own knows where it is."""
    for one in workloads(resources):
        if one.component not in ("api", "runner"):
            continue
        options = dict(zip(one.container["command"], one.container["command"][1:], strict=False))
        if int(options.get("--timeout-keep-alive", 5)) < 75:
            yield f"{one.name} closes idle connections before its callers do"
        if "start-http-server" not in options:
            continue
        if options.get("--service-name") != {"api": SERVICE_NAME, "runner": RUNNER_NAME}[one.component]:
            yield f"{one.name} serves {options.get('--service-name')}"
        if RUNNER_KEY not in environment(resources, one):
            yield f"{one.name} has no {RUNNER_KEY}"
        if one.component == "api" and options.get("--depends") != f"{RUNNER_NAME}={runner_address(resources)}":
            yield f"{one.name} calls {options.get('--depends')}, not {runner_address(resources)}"


def runner_address(resources: list[Resource]) -> str:
    """The address of the runner's Service."""
    service = named(resources, "Service", "runner")
    return f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"


PODS: Final = (schema, images, restricted, sizes, probes, shutdown, settings, commands)

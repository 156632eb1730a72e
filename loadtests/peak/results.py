"""The report of a load test, as its JSON file holds it: objectives, all runs, what the service did meanwhile, and the peak."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from loadtests.generator.results import FAILED_SHARE, IN_TIME_SHARE, RunResult
from loadtests.machine import Machine

SCHEMA_VERSION: Final = 1
# Beyond this, differences between confirmations, or a miss this far below a rate that met, are noise of the machine.
MAX_SPREAD: Final = 0.05
CONTRADICTION: Final = 0.9

Purpose = Literal["estimate", "search", "confirmation", "curve", "scenario"]


class Objectives(BaseModel):
    """What a service must do at a rate: so many of the requests that are due correct within ``slo_ms``, so few failed."""

    model_config = ConfigDict(extra="forbid")

    slo_ms: float = 50.0
    in_time_share: float = IN_TIME_SHARE
    failed_share: float = FAILED_SHARE


class ResourceSample(BaseModel):
    """The service at one time, in seconds since the start of the measured part of the run; None is what was not measured.

    CPU in cores and memory are those of its processes; ``queue_depth`` images wait for a model, ``in_flight`` are unanswered.
    """

    second: float
    cpu_cores: float | None = None
    memory_mb: float | None = None
    queue_depth: float | None = None
    in_flight: float | None = None


class StageTime(BaseModel):
    """How long a stage of a request took in a run, from the service's histogram; ``p99_ms`` is the bound of its bucket."""

    name: str
    count: int
    mean_ms: float
    p99_ms: float


class ServiceObservation(BaseModel):
    """What the service did in a run, from its ``/metrics`` and, on this machine, its processes; empty where not measured."""

    resources: list[ResourceSample] = []
    stages: list[StageTime] = []
    batch_sizes: dict[int, int] = {}
    refused: int = 0


class Run(BaseModel):
    """A run of the generator, what it was for, whether it met the objectives, and what the service did meanwhile."""

    purpose: Purpose
    met: bool
    result: RunResult
    service: ServiceObservation = ServiceObservation()


class Peak(BaseModel):
    """The outcome of a search. ``rate`` is None where no rate met the objectives.

    ``confirmed`` is whether all confirmations met them; ``spread`` is the largest difference between the goodputs of the
    confirmations, as a share of their mean; ``noisy`` is whether runs contradicted each other.
    """

    rate: float | None
    confirmed: bool
    spread: float
    noisy: bool
    remarks: list[str] = []


class LoadReport(BaseModel):
    """Everything of one load test. ``peak`` is None for a single scenario.

    ``seconds`` is how long a confirmation or the scenario was asked to last; None in reports from before it was recorded.
    """

    schema_version: int = SCHEMA_VERSION
    created_at: str
    title: str
    machine: Machine
    service_settings: dict[str, str]
    objectives: Objectives
    seconds: float | None = None
    runs: list[Run]
    peak: Peak | None = None

"""What the benchmark found, as it lies in results.json: raw figures of every round, and their medians."""

import statistics
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Unknown fields are dropped: what was derived is derived again."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Machine(Model):
    """Where it ran."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    versions: dict[str, str]


class Figures(Model):
    """One scenario of one contestant in one round.

    ``cpu_seconds`` are those of all the server's processes; ``foreign_share`` is how much of the machine's CPU time went to
    programs other than the server and the load, 0 to 1.
    """

    round: int
    contestant: str
    scenario: str
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    status_errors: int
    socket_errors: int
    cpu_seconds: float
    foreign_share: float

    @property
    def rate(self) -> float:
        """Requests/s that were answered with success."""
        return (self.requests - self.status_errors) / self.seconds

    @property
    def errors(self) -> int:
        """Requests that failed, by status or by a broken connection."""
        return self.status_errors + self.socket_errors

    @property
    def cpu_ms(self) -> float:
        """CPU time of the server a request, in ms."""
        return self.cpu_seconds * 1000 / max(1, self.requests)


class Limit(Model):
    """Images/s of two processes without HTTP, the model run on ``batch`` images at a time."""

    round: int
    picture: str
    batch: int
    images_per_second: float


class Stage(Model):
    """What one step costs on one thread, or another figure of the service alone."""

    name: str
    value: float
    unit: str


class Neighbour(Model):
    """How one connection on digits fared beside load on another model, or on digits itself, or on nothing: its latencies in ms,
    what the load reached in requests/s, and what failed of both."""

    round: int
    contestant: str
    beside: str
    p50_ms: float
    p99_ms: float
    errors: int
    load_rate: float


class Exactness(Model):
    """Answers under mixed load against those to one request at a time."""

    contestant: str
    requests: int
    failures: int
    wrong_labels: int
    largest_difference: float
    batch_sizes: dict[int, int]


class Cell(Model):
    """Images/s of a model on a device at a batch size, from ``calls`` calls."""

    model: str
    parameters: int
    device: str
    batch: int
    calls: int
    images_per_second: float


class Median(Model):
    """Medians over the rounds of a scenario for a contestant; ``requests`` and ``errors`` are sums."""

    contestant: str
    scenario: str
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    requests: int
    errors: int


class Results(Model):
    """Everything of one run."""

    date: str
    machine: Machine
    seconds: int
    rounds: int
    endurance_seconds: int
    figures: list[Figures] = []
    limits: list[Limit] = []
    stages: list[Stage] = []
    endurance: list[Figures] = []
    exactness: list[Exactness] = []
    devices: list[Cell] = []
    neighbours: list[Neighbour] = []

    def medians(self) -> "dict[tuple[str, str], Median]":
        """Medians by scenario and contestant, in the order in which they were first measured."""
        groups: dict[tuple[str, str], list[Figures]] = {}
        for figures in self.figures:
            groups.setdefault((figures.scenario, figures.contestant), []).append(figures)
        return {key: median(group) for key, group in groups.items()}

    def limit(self, picture: str, batch: int) -> float | None:
        """Median images/s of a picture without HTTP."""
        rates = [cell.images_per_second for cell in self.limits if (cell.picture, cell.batch) == (picture, batch)]
        return statistics.median(rates) if rates else None

    def neighbour(self, contestant: str, beside: str) -> Neighbour | None:
        """The round with the median p50 of a connection beside that load."""
        rounds = [one for one in self.neighbours if (one.contestant, one.beside) == (contestant, beside)]
        return sorted(rounds, key=lambda one: one.p50_ms)[len(rounds) // 2] if rounds else None


def median(group: list[Figures]) -> Median:
    """The medians of one scenario and contestant."""

    def middle(value: Callable[[Figures], float]) -> float:
        return statistics.median(map(value, group))

    return Median(
        contestant=group[0].contestant,
        scenario=group[0].scenario,
        rate=middle(lambda figures: figures.rate),
        p50_ms=middle(lambda figures: figures.p50_ms),
        p99_ms=middle(lambda figures: figures.p99_ms),
        cpu_ms=middle(lambda figures: figures.cpu_ms),
        requests=sum(figures.requests for figures in group),
        errors=sum(figures.errors for figures in group),
    )


def read_results(path: Path) -> Results:
    """The results in a file that the benchmark wrote.

    Raises:
        FileNotFoundError: there is none; the text says how to make one.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. `make bench` writes it.")
    return Results.model_validate_json(path.read_text(encoding="utf-8"))

"""The figures of a benchmark run, as results.json holds them: raw measurements of every round, and medians over the rounds."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from loadtests.machine import Machine


class Load(BaseModel):
    """What a load generator measured: responses in ``seconds``, latencies, statuses of 400 and above, broken connections."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    status_errors: int
    socket_errors: int

    @property
    def rate(self) -> float:
        """Successful requests/s."""
        return (self.requests - self.status_errors) / self.seconds

    @property
    def errors(self) -> int:
        """Requests that failed, by status or by a broken connection."""
        return self.status_errors + self.socket_errors


class Measurement(Load):
    """One scenario on one server in one round.

    ``cpu_seconds`` is the CPU time of all the server's processes; ``foreign_share`` is the share of the machine's CPU time that
    went to programs other than the server and the load generator, 0 to 1. ``load_rate`` are requests/s of other load meanwhile.
    """

    round: int
    server: str
    scenario: str
    cpu_seconds: float
    foreign_share: float
    load_rate: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """CPU time of the server per request, in ms."""
        return self.cpu_seconds * 1000 / max(1, self.requests)


class Figure(BaseModel):
    """A figure without load: the cost of a stage, or images/s at a batch size."""

    name: str
    value: float
    unit: str
    batch: int = 1


class Exactness(BaseModel):
    """Responses of one model under mixed load compared with references: those to the same images one at a time, or what
    onnxruntime answers when it is called by hand."""

    server: str
    model: str = "digits"
    requests: int
    failures: int = 0
    wrong_labels: int = 0
    largest_difference: float = 0.0
    batch_sizes: dict[int, int] = {}


class Results(BaseModel):
    """Everything of one run, which took ``minutes``."""

    date: str
    machine: Machine
    seconds: int
    rounds: int
    endurance_seconds: int
    minutes: float
    figures: list[Measurement] = []
    limits: list[Figure] = []
    stages: list[Figure] = []
    endurance: list[Measurement] = []
    exactness: list[Exactness] = []
    devices: list[Figure] = []
    neighbours: list[Measurement] = []

    def medians(self) -> dict[tuple[str, str], dict[str, float]]:
        """By scenario and server: medians over the rounds, and sums of requests and errors."""
        groups: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for one in (*self.figures, *self.neighbours):
            groups[one.scenario, one.server].append(one)
        return {
            key: {name: combine(getattr(one, name) for one in group) for name, combine in _COMBINED.items()}
            for key, group in groups.items()
        }

    def ratio(self, field: str, scenario: str, server: str, other: str) -> float | None:
        """A median of one server divided by that of another; None if one was not measured or the other is 0."""
        medians = self.medians()
        one, base = medians.get((scenario, server)), medians.get((scenario, other))
        return one[field] / base[field] if one and base and base[field] else None


_COMBINED: Final[dict[str, Callable[[Iterable[float]], float]]] = {
    **dict.fromkeys(("rate", "p50_ms", "p99_ms", "cpu_ms", "load_rate"), statistics.median),
    **dict.fromkeys(("requests", "errors"), sum),
}


def write_results(results: Results, path: Path) -> None:
    """Write the results of a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Read the results of an earlier run.

    Raises:
        FileNotFoundError: the file does not exist; the text says how to make it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Run `make bench` to write it.")
    return Results.model_validate_json(path.read_text(encoding="utf-8"))

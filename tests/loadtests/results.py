"""Made-up benchmark results for the tests of the report."""

from loadtests.benchmark.offline import START
from loadtests.benchmark.results import Exactness, Figure, Measurement, Results
from loadtests.machine import Machine


def measurement(server: str, scenario: str, number: int = 1, *, requests: int = 1000, **other: float) -> Measurement:
    """One scenario: ``requests`` in one second, p50 2 ms, p99 10 ms and 1 s of CPU by default."""
    given = {"seconds": 1.0, "p50_ms": 2.0, "p99_ms": 10.0, "status_errors": 0, "socket_errors": 0, "cpu_seconds": 1.0}
    base = {"round": number, "server": server, "scenario": scenario, "requests": requests, "foreign_share": 0.0}
    return Measurement.model_validate({**base, **given, **other})


def results(*measured: Measurement) -> Results:
    """Results with these measurements, and a little of everything else."""
    return Results(
        date="2026-01-31",
        machine=Machine(cpu="Abacus", cores=2, memory_gb=8, system="Linux x86_64", versions={"python": "3.11.0"}),
        seconds=1,
        rounds=1,
        minutes=24.6,
        endurance_seconds=60,
        figures=list(measured),
        limits=[
            Figure(name="small", value=1000.0, unit="images/s", batch=1),
            Figure(name="small", value=2000.0, unit="images/s", batch=32),
        ],
        stages=[Figure(name="decode", value=371.0, unit="µs"), Figure(name=START, value=2.0, unit="s")],
        endurance=[
            measurement("embedded", "canvas@32", 0, seconds=60.0),
            measurement("runner", "canvas@64", 0, status_errors=3),
        ],
        exactness=[
            Exactness(
                server="embedded",
                requests=10,
                failures=0,
                wrong_labels=0,
                largest_difference=1e-6,
                batch_sizes={1: 4, 2: 6},
            ),
            Exactness(
                server="embedded", model="photo", requests=1, wrong_labels=1, largest_difference=2e-6, batch_sizes={1: 1}
            ),
        ],
        neighbours=[
            measurement("embedded", f"beside {load_on}", i, p50_ms=p50, p99_ms=3 * p50, load_rate=rate)
            for load_on, rate, times in (("nothing", 0.0, (1.0, 2.0, 9.0)), ("digits", 900.0, (8.0,)), ("slow", 300.0, (6.0,)))
            for i, p50 in enumerate(times)
        ],
        devices=[Figure(name="digits (0.177 M parameters), cpu", value=9000.0, unit="images/s", batch=4)],
    )

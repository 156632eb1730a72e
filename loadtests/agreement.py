"""``python -m loadtests.agreement ADDRESS --rate R``: the server scenario beside an independent generator, MLPerf's LoadGen.

Both send the same picture at Poisson arrivals of the same rate and count latency from the due time, in turns; a closed loop is
shown beside them. LoadGen is among the requirements for development, on Linux on x86-64.
"""

import argparse
import http.client
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

from loadtests.generator.results import RunResult
from loadtests.processes import ROOT
from loadtests.report import table
from loadtests.samples import samples

PERCENTS: Final = (50, 90, 99)
# Threads that send LoadGen's queries, each over its own connection.
SENDERS: Final = 64
PERCENTILE: Final = re.compile(r"^([\d.]+) percentile latency \(ns\)\s*:\s*(\d+)", re.MULTILINE)


def measure_loadgen(address: str, rate: float, seconds: float, seed: int) -> dict[int, float]:
    """Percentiles in ms of LoadGen's Server scenario."""
    import mlperf_loadgen as loadgen  # only here: it is not on every platform

    queries: SimpleQueue[Any] = SimpleQueue()
    parts, picture = urlsplit(address), samples()[0].data

    def issue(issued: Sequence[Any]) -> None:
        for query in issued:
            queries.put(query)

    def send_queries() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
        while (query := queries.get()) is not None:
            connection.request("POST", "/classify", picture, {"Content-Type": "image/png"})
            connection.getresponse().read()
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0)])
        connection.close()

    threads = [threading.Thread(target=send_queries, daemon=True) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    settings = loadgen.TestSettings()
    settings.scenario, settings.mode = loadgen.TestScenario.Server, loadgen.TestMode.PerformanceOnly
    settings.server_target_qps, settings.server_target_latency_ns = rate, 1_000_000_000
    settings.min_duration_ms, settings.min_query_count = round(1000 * seconds), round(rate * seconds)
    settings.max_query_count = settings.min_query_count
    settings.schedule_rng_seed = settings.sample_index_rng_seed = settings.qsl_rng_seed = seed
    with tempfile.TemporaryDirectory() as folder:
        logs = loadgen.LogSettings()
        logs.log_output.outdir, logs.enable_trace = folder, False
        system = loadgen.ConstructSUT(issue, lambda: None)
        library = loadgen.ConstructQSL(1, 1, lambda _: None, lambda _: None)
        loadgen.StartTestWithLogSettings(system, library, settings, logs)
        loadgen.DestroyQSL(library)
        loadgen.DestroySUT(system)
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text(encoding="utf-8")
    for _ in threads:
        queries.put(None)
    found = {float(percent): int(nanoseconds) / 1e6 for percent, nanoseconds in PERCENTILE.findall(summary)}
    return {percent: found[percent] for percent in PERCENTS}


def measure_locust(scenario: str, address: str, seconds: float, *options: str) -> tuple[dict[int, float], RunResult]:
    """Percentiles in ms of one of our scenarios, and its result."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "locust", "-f", f"loadtests/scenarios/{scenario}.py", "--headless", "--only-summary"]
        command += ["--host", address, "--duration", f"{seconds:g}", "--forms", "body", "--result", str(result), *options]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        measured = RunResult.model_validate_json(result.read_bytes())
    latency = measured.latency_ms
    return {50: latency.p50, 90: latency.p90, 99: latency.p99}, measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and print a table of medians over the rounds."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.agreement", description=__doc__)
    parser.add_argument("address", help="of a running service, such as http://127.0.0.1:3000")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="of both in turns")
    options = parser.parse_args(arguments)
    rate = ("--rate", f"{options.rate:g}")
    rounds: dict[str, list[dict[int, float]]] = {"LoadGen, open loop": [], "this project, open loop": []}
    for number in range(options.rounds):
        rounds["LoadGen, open loop"].append(measure_loadgen(options.address, options.rate, options.seconds, number + 1))
        ours, result = measure_locust("server", options.address, options.seconds, *rate, "--seed", str(number + 1))
        if result.void:
            sys.stderr.write(f"void: {'; '.join(result.generator.void)}\n")
        rounds["this project, open loop"].append(ours)
    rows = {name: {percent: median(one[percent] for one in found) for percent in PERCENTS} for name, found in rounds.items()}
    rows["this project, closed loop, one client"] = measure_locust("single_stream", options.address, options.seconds)[0]
    cells = [[name, *(f"{found[percent]:.2f}" for percent in PERCENTS)] for name, found in rows.items()]
    theirs, mine = (rows[name] for name in rounds)
    cells.append(["ratio of the open loops", *(f"{mine[percent] / theirs[percent]:.2f}" for percent in PERCENTS)])
    sys.stdout.write(table((f"{options.rate:g} requests/s", *(f"p{percent}, ms" for percent in PERCENTS)), cells) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

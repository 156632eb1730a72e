"""``python -m loadtests.soak``: sends good and bad requests at half of the peak rate for half an hour and looks for leaks."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

import gevent
import httpx

from loadtests.generator.arrivals import constant, poisson
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import closed_loop, open_loop
from loadtests.generator.mixes import learn_labels
from loadtests.generator.recorder import Recorder, by_success
from loadtests.processes import Server
from loadtests.report import run_test
from loadtests.requests import Request, Response
from loadtests.soak.report import Row, SoakReport
from loadtests.soak.traffic import BAD_IMAGES, Traffic, good_images

CLIENTS: Final = 32
MAX_CONNECTIONS: Final = 100_000
PEAK_SECONDS: Final = 10.0
MAX_LATE_SECONDS: Final = 0.1
SEED: Final = 1
# Before the peak is measured, so that memory is allocated, threads are started and files are open.
WARM_UP_SECONDS: Final = 60.0
# A row a minute, but at least so many. Growth counts from the fifth minute, or from a sixth of the duration.
ROW_SECONDS: Final = 60.0
MIN_ROWS: Final = 30
SETTLED_MINUTES: Final = 5.0
SETTLED_SHARE: Final = 1 / 6


def soak(
    server: Server, minutes: float, log: Path, share: float = 0.5, bad: int = BAD_IMAGES, peak_seconds: float = PEAK_SECONDS
) -> SoakReport:
    """Measure the peak rate, send a share of it for ``minutes``, and write a JSON line for every interval to ``log``.

    ``bad`` is the number of different bad images; all images are sent once before the peak is measured.

    Raises:
        MixError: a good request was refused before.
    """
    models = [model["name"] for model in httpx.get(f"{server.address}/models", timeout=30).json()["models"]]
    client, recorder = ServiceClient(server.address, MAX_CONNECTIONS), Recorder(kind=by_success)
    traffic = Traffic([learn_labels(client, request) for request in good_images(models)], SEED, bad)

    def handle(request: Request, response: Response) -> None:
        traffic.learn(request, response)
        recorder.add(request, response)

    closed_loop(client, traffic.images(), handle, CLIENTS, WARM_UP_SECONDS)
    recorder = Recorder(kind=by_success)
    recorder.duration = closed_loop(client, traffic.requests(slow=False), handle, CLIENTS, peak_seconds)
    peak, rate, seconds = recorder.rate, share * recorder.rate, 60 * minutes
    count, rows = max(MIN_ROWS, round(seconds / ROW_SECONDS)), []
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"peak": peak, "rate": rate, "models": models}) + "\n")
        recorder = Recorder(kind=by_success)
        started = row_started = perf_counter()
        arrivals = poisson(constant(rate), rate, seconds, SEED)
        load = gevent.spawn(open_loop, client, arrivals, traffic.requests(), handle, MAX_CONNECTIONS, MAX_LATE_SECONDS)
        for number in range(1, count + 1):
            gevent.sleep(max(0.0, started + number * seconds / count - perf_counter()))
            now, connections = perf_counter(), client.open_connections
            processes = gevent.get_hub().threadpool.apply(server.sample)  # in a thread, so that it does not delay the load
            if number == count:
                load.get().join()  # the last row has the responses after its end, too
            recorder.duration = now - row_started
            rows.append(Row((now - started) / 60, recorder, processes, connections))
            recorder, row_started = Recorder(kind=by_success), now
            file.write(json.dumps(rows[-1].document()) + "\n")
            file.flush()
        report = SoakReport(rows, min(SETTLED_MINUTES, SETTLED_SHARE * minutes), peak, rate)
        file.writelines(json.dumps(check.cells()) + "\n" for check in report.checks())
    client.close()
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="duration")
    parser.add_argument("--log", type=Path, default=Path("build/soak/soak.jsonl"), metavar="FILE", help="a JSON line a minute")
    return run_test(parser, arguments, lambda server, options: soak(server, options.minutes, options.log))


if __name__ == "__main__":
    sys.exit(main())

"""``python -m loadtests.soak``: sends good and bad requests at half of the peak rate for half an hour and looks for leaks."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import uvloop

from loadtests.http_client import ConnectionPool
from loadtests.load import Stats, closed_loop, open_loop
from loadtests.processes import Server
from loadtests.report import run_test
from loadtests.requests import Request, Response, labels
from loadtests.soak.report import Row, SoakReport
from loadtests.soak.traffic import BAD_IMAGES, Traffic, good_images

CLIENTS: Final = 32
MAX_CONNECTIONS: Final = 100_000
PEAK_SECONDS: Final = 10.0
MAX_LATE_SECONDS: Final = 0.1
# Before the peak is measured, so that memory is allocated, threads are started and files are open.
WARM_UP_SECONDS: Final = 60.0
# A row a minute, but at least so many. Growth counts from the fifth minute, or from a sixth of the duration.
ROW_SECONDS: Final = 60.0
MIN_ROWS: Final = 30
SETTLED_MINUTES: Final = 5.0
SETTLED_SHARE: Final = 1 / 6


class SoakError(Exception):
    """A good request was not answered before the soak began; the text has the response."""


async def soak(
    server: Server, minutes: float, log: Path, share: float = 0.5, bad: int = BAD_IMAGES, peak_seconds: float = PEAK_SECONDS
) -> SoakReport:
    """Measure the peak rate, send a share of it for ``minutes``, and write a JSON line for every interval to ``log``.

    ``bad`` is the number of different bad images; all images are sent once before the peak is measured.

    Raises:
        SoakError: a good request was refused before.
    """
    models = [model["name"] for model in httpx.get(f"{server.address}/models", timeout=30).json()["models"]]
    pool, stats = ConnectionPool(server.address, MAX_CONNECTIONS), Stats()
    good = [await _with_labels(pool, request) for request in good_images(models)]
    traffic = Traffic(good, bad=bad)

    def handle(request: Request, response: Response) -> None:
        traffic.learn(request, response)
        stats.add(request, response)

    await closed_loop(pool, traffic.images(), handle, CLIENTS, WARM_UP_SECONDS)
    stats = Stats()
    stats.duration = await closed_loop(pool, traffic.requests(slow=False), handle, CLIENTS, peak_seconds)
    peak, rate, seconds = stats.rate, share * stats.rate, 60 * minutes
    count, rows = max(MIN_ROWS, round(seconds / ROW_SECONDS)), []
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"peak": peak, "rate": rate, "models": models}) + "\n")
        stats = Stats()
        started = row_started = perf_counter()
        load = asyncio.create_task(open_loop(pool, traffic.requests(), handle, rate, seconds, MAX_LATE_SECONDS))
        for number in range(1, count + 1):
            await asyncio.sleep(started + number * seconds / count - perf_counter())
            now, processes, connections = perf_counter(), server.sample(), pool.open_connections
            if number == count:
                await asyncio.gather(*await load)  # the last row has the responses after its end, too
            stats.duration = now - row_started
            rows.append(Row((now - started) / 60, stats, processes, connections))
            stats, row_started = Stats(), now
            file.write(json.dumps(rows[-1].document()) + "\n")
            file.flush()
        report = SoakReport(rows, min(SETTLED_MINUTES, SETTLED_SHARE * minutes), peak, rate)
        file.writelines(json.dumps(check.cells()) + "\n" for check in report.checks())
    pool.close()
    return report


async def _with_labels(pool: ConnectionPool, request: Request) -> Request:
    """Send a request when there is no other; the copy of it must be answered with the same labels ever after."""
    response = await pool.send(request)
    if response.status != 200 or not labels(response.body):
        raise SoakError(f"{request.name} was answered {response.status} before the soak: {response.body[-300:]!r}")
    return replace(request, labels=labels(response.body))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="duration")
    parser.add_argument("--log", type=Path, default=Path("build/soak/soak.jsonl"), metavar="FILE", help="a JSON line a minute")
    return run_test(parser, arguments, lambda server, options: uvloop.run(soak(server, options.minutes, options.log)))


if __name__ == "__main__":
    sys.exit(main())

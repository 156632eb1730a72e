"""``python -m loadtests.soak``: mixed good and bad requests at half of what a service of its own can take, for half an hour."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import httpx
import uvloop

from loadtests.bench.contestants import CONTESTANTS, Server, import_models, serving
from loadtests.soak.sender import Sender, Tally, closed, paced
from loadtests.soak.traffic import READ, Traffic, Visit, labels, readings
from loadtests.soak.verdict import Row, Verdict
from loadtests.vitals import look

SHARE: Final = 0.5
SATURATION_SECONDS: Final = 10.0
WARM_UP_SECONDS: Final = 60.0
# A row a minute, but as many for a shorter run; what is in use after the first five minutes, or a sixth, is there to stay.
ROW_SECONDS: Final = 60.0
LEAST_ROWS: Final = 30
SETTLED_MINUTES: Final = 5.0
SETTLED_SHARE: Final = 1 / 6


class SoakError(Exception):
    """A good request was not answered before the soak began; the text says how."""


async def soak(server: Server, minutes: float, log: Path, share: float = SHARE) -> Verdict:
    """Find out how much the service takes, send a share of that for ``minutes``, and write a row for every interval to ``log``.

    Raises:
        SoakError: a good request was refused before.
    """
    models = [model["name"] for model in httpx.get(f"{server.address}/models", timeout=30).json()["models"]]
    sender, traffic = await prepared(server.address, models)
    await closed(sender, traffic.pictures(), WARM_UP_SECONDS)  # memory is taken, threads are started, files are opened
    peak = await closed(sender, traffic.visits(slow=False), SATURATION_SECONDS)
    rate = share * peak.sent / peak.took
    with log.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"saturation": peak.sent / peak.took, "rate": rate, "models": models}) + "\n")
        rows = []
        async for row in watched(server, sender, traffic, rate, 60 * minutes):
            rows.append(row)
            file.write(json.dumps(row.document()) + "\n")
            file.flush()
        settled = min(SETTLED_MINUTES, SETTLED_SHARE * minutes)
        verdict = Verdict(rows, settled, peak.sent / peak.took, rate)
        file.writelines(json.dumps(asdict(promise)) + "\n" for promise in verdict.promises())
    sender.close()
    return verdict


async def prepared(address: str, models: list[str]) -> tuple[Sender, Traffic]:
    """What sends and what is sent: good pictures have been read once by then, and must be read the same way ever after.

    Raises:
        SoakError: one was refused.
    """
    host = urlsplit(address).netloc
    sender = Sender(address, lambda _visit, _content: None)
    traffic = Traffic(host, [await _said(sender, visit) for visit in readings(host, models)])
    sender.close()
    return Sender(address, traffic.learn), traffic


async def watched(server: Server, sender: Sender, traffic: Traffic, rate: float, seconds: float) -> AsyncIterator[Row]:
    """A row for every interval of the load; the last one has the answers that came after its end, too."""
    count = max(LEAST_ROWS, round(seconds / ROW_SECONDS))
    sender.tally = Tally()
    began = turned = perf_counter()
    pacing = asyncio.create_task(paced(sender, traffic.visits(), rate, seconds))
    for number in range(1, count + 1):
        await asyncio.sleep(began + number * seconds / count - perf_counter())
        now, vitals, connections = perf_counter(), look(server.process), sender.connections
        if number == count:
            await asyncio.gather(*await pacing)
        tally, sender.tally = sender.tally, Tally()
        tally.took, turned = now - turned, now
        yield Row((now - began) / 60, tally, vitals, connections)


async def _said(sender: Sender, visit: Visit) -> Visit:
    """The visit with what is answered to it when nothing else is asked."""
    answer = await sender.ask(visit)
    if answer.status != READ or not labels(answer.content):
        raise SoakError(f"{visit.name} was answered {answer.status} before the soak: {answer.content[-300:]!r}")
    return replace(visit, said=labels(answer.content))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when the service did not keep what is promised."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long it lasts")
    parser.add_argument("--contestant", choices=("embedded", "runner"), default="embedded", help="the topology")
    parser.add_argument("--log", type=Path, default=Path("build/soak/soak.jsonl"), metavar="FILE", help="a JSON line a minute")
    options = parser.parse_args(arguments)
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        import_models(home)
        with serving(CONTESTANTS[options.contestant], home) as server:
            verdict = uvloop.run(soak(server, options.minutes, options.log))
    sys.stdout.write(verdict.markdown() + "\n")
    return 0 if verdict.stands else 1


if __name__ == "__main__":
    sys.exit(main())

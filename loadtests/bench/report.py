"""results.json and docs/benchmarks.md, written from the results."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from loadtests.bench import tables
from loadtests.bench.results import Results
from loadtests.bench.scenarios import SCENARIOS
from loadtests.bench.targets import judge, rate, ratio

# Above this share of the CPU time for other programs, rates are no measurement.
QUIET_SHARE: Final = 0.03

HOW: Final = """\
`make bench` measures this again and writes this page: on Linux, with `wrk` (`apt-get install wrk`), on an idle machine, in a
quarter of an hour. `make bench BENCH='--rounds 1 --seconds 2 --endurance 5 --requests 1000'` is a quick look. The raw figures
of every round go to `build/bench/results.json`; `python -m loadtests.bench report build/bench/results.json` writes the page
from them, `python -m loadtests.bench exactness` (or `devices`, `stages`) measures one part and prints it."""

LOAD: Final = """\
Every contestant runs alone in its turn with two workers, on the same machine as the load: one thread of wrk in a closed loop
with the same multipart body for all. Requests/s are those answered with success; errors are statuses of 400 and above and
broken connections, summed over the rounds; CPU is that of all processes of the server, a request."""

BASELINES: Final = """\
*FastAPI* is the usual crop and centring behind an `UploadFile`, with ONNX Runtime on one thread, uvicorn, uvloop and httptools.
*BentoML as documented* is a `PIL.Image` input and a batchable runner behind `bentoml.depends`, default settings; some of its
requests fail because the calls to the runner share a session that BentoML closes every 100 requests. Both prepare pictures with
the short `loadtests/baselines/usual.py`, which knows neither uneven light nor specks, and neither calibrates nor rejects."""

EXACTNESS: Final = """\
Mixed requests over 32 connections (all pictures of `loadtests/samples` and the two above, as body and as form, `top_k` from 1
to 10, options in the query and in the form), each compared with the answer to the same picture sent alone."""

NEIGHBOURS: Final = """\
One connection asks for digits with the 16x16 picture while 16 others ask for nothing, for digits too, or for a model that takes
about 3 ms an image. Beside the slow model it must not fare worse than beside its own."""

DEVICES: Final = """\
Images/s of ONNX Runtime alone: the digit model, and a convolutional network of random weights a hundred times as large. Batch
sizes of which a call would take longer than 2 s are left out."""


def write_results(results: Results, path: Path) -> None:
    """Write results.json: the raw figures, and what follows from them."""
    derived: dict[str, Any] = {
        "medians": [median.model_dump() for median in results.medians().values()],
        "ratios": ratios(results),
        "verdicts": [verdict.model_dump() for verdict in judge(results)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**results.model_dump(), **derived}, indent=2) + "\n", encoding="utf-8")


def ratios(results: Results) -> list[dict[str, Any]]:
    """Requests/s of every contestant over those of the baselines, by scenario."""
    return [
        {
            "scenario": scenario,
            "contestant": contestant,
            **{f"to_{base}": ratio(results, scenario, contestant, base, rate) for base in ("fastapi", "bentoml")},
        }
        for scenario, contestant in results.medians()
    ]


def markdown(results: Results, chart: str) -> str:
    """The page; ``chart`` is the path of the picture as the page names it."""
    return "\n\n".join([*_opening(results, chart), *_under_load(results), *_alone(results)]) + "\n"


def _opening(results: Results, chart: str) -> Iterator[str]:
    machine = results.machine
    yield "# Benchmarks"
    yield HOW
    yield (
        f"Taken on {results.date}: {machine.cpu}, {machine.cores} cores, {machine.memory_gb:g} GB, {machine.system}; "
        f"{', '.join(f'{name} {version}' for name, version in machine.versions.items())}. Medians over "
        f"{results.rounds} x {results.seconds} s. Ratios hold on other machines better than rates do."
    )
    foreign = statistics.median(figures.foreign_share for figures in (*results.figures, *results.endurance))
    if foreign > QUIET_SHARE:
        yield (
            f"**Provisional:** other programs used {foreign:.0%} of the machine's CPU time (median over the figures). No rate, "
            "ratio or verdict below counts until it is taken again on an idle machine; CPU a request and errors hold."
        )
    else:
        yield f"Other programs used {foreign:.1%} of the machine's CPU time (median over the figures)."
    yield f"![Requests a second and 99th percentiles of the four contestants]({chart})"
    yield "## Targets"
    yield tables.targets(results)


def _under_load(results: Results) -> Iterator[str]:
    yield "## Under load"
    yield LOAD
    yield BASELINES
    medians = results.medians()
    for one in SCENARIOS:
        if not any((one.name, name) in medians for name in one.contestants):
            continue
        yield f"### {one.name}: {one.title}"
        yield tables.scenario(results, one)
        if one.images > 1:
            images = one.images * medians[one.name, one.contestants[0]].rate
            yield f"A request holds {one.images} images: {images:,.0f} images/s."
    yield "### The long run"
    yield tables.endurance(results)
    if results.neighbours:
        yield "### Neighbours"
        yield NEIGHBOURS
        yield tables.neighbours(results)
    yield "### The same answers under load"
    yield EXACTNESS
    yield tables.exactness(results)


def _alone(results: Results) -> Iterator[str]:
    yield "## Without HTTP"
    yield "The limit no server can pass: decoding, the service's preprocessing and inference in two processes, images/s."
    yield tables.limits(results)
    yield "What each stage costs on one thread, the memory of a photo, and the start:"
    yield tables.stages(results)
    yield "## Devices and batch sizes"
    yield DEVICES
    yield tables.devices(results)

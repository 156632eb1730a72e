"""Renders docs/benchmarks.md from a template."""

import statistics
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loadtests.benchmark.results import Results
from loadtests.benchmark.scenarios import SCENARIOS
from loadtests.benchmark.targets import evaluate
from loadtests.processes import SERVERS
from loadtests.report import YES_NO

TEMPLATE: Final = "benchmarks.md.j2"
# Above this share of the CPU time for other programs, rates are no measurement.
MAX_FOREIGN_SHARE: Final = 0.03


def render_page(results: Results, chart: str) -> str:
    """Render the Markdown page; ``chart`` is the path of the chart relative to the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["fmt"] = lambda value, spec: "" if value is None else format(value, spec)
    neighbours = dict.fromkeys((one.server, one.load_on) for one in results.neighbours)
    return environment.get_template(TEMPLATE).render(
        results=results,
        machine=results.machine,
        chart=chart,
        foreign=statistics.median(one.foreign_share for one in (*results.figures, *results.endurance)),
        max_foreign=MAX_FOREIGN_SHARE,
        targets=evaluate(results),
        reached={**YES_NO, None: "not measured"},
        medians=results.medians(),
        scenarios=[one for one in SCENARIOS if any(one.name == scenario for scenario, _ in results.medians())],
        servers=SERVERS,
        neighbours=[results.neighbour(*pair) for pair in neighbours],
        limits=dict.fromkeys((one.name, one.batch) for one in results.limits),
        device_columns=dict.fromkeys(one.name for one in results.devices),
        device_rates={(one.batch, one.name): one.value for one in results.devices},
        device_batches=sorted({one.batch for one in results.devices}),
    )

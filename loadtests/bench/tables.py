"""The tables of docs/benchmarks.md, in Markdown."""

from collections.abc import Iterable, Sequence

from loadtests.bench.contestants import CONTESTANTS
from loadtests.bench.results import Median, Results
from loadtests.bench.scenarios import Scenario
from loadtests.bench.targets import judge, rate, ratio

Row = Sequence[str]


def table(heads: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; the first column is text, the others stand to the right."""
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def targets(results: Results) -> str:
    """Every target with its verdict."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    return table(
        ("target", "wanted", "measured", "reached"),
        (
            (one.target, one.wanted, "" if one.measured is None else f"{one.measured:.3g}", words[one.reached])
            for one in judge(results)
        ),
    )


def scenario(results: Results, one: Scenario) -> str:
    """The contestants in one scenario."""
    medians = results.medians()
    return table(
        ("contestant", "requests/s", "to FastAPI", "to BentoML", "p50 ms", "p99 ms", "CPU ms", "errors"),
        (_row(results, medians[one.name, name]) for name in CONTESTANTS if (one.name, name) in medians),
    )


def _row(results: Results, median: Median) -> Row:
    quotients = (ratio(results, median.scenario, median.contestant, base, rate) for base in ("fastapi", "bentoml"))
    return (
        CONTESTANTS[median.contestant].title,
        f"{median.rate:,.0f}",
        *("" if quotient is None else f"{quotient:.2f}" for quotient in quotients),
        f"{median.p50_ms:.1f}",
        f"{median.p99_ms:.1f}",
        f"{median.cpu_ms:.2f}",
        f"{median.errors:,} of {median.requests:,}",
    )


def endurance(results: Results) -> str:
    """The long runs."""
    return table(
        ("contestant", "scenario", "s", "requests/s", "p99 ms", "errors"),
        (
            (
                CONTESTANTS[one.contestant].title,
                one.scenario,
                f"{one.seconds:.0f}",
                f"{one.rate:,.0f}",
                f"{one.p99_ms:.1f}",
                f"{one.errors:,} of {one.requests:,}",
            )
            for one in results.endurance
        ),
    )


def exactness(results: Results) -> str:
    """Answers under mixed load against answers alone."""
    return table(
        ("contestant", "requests", "failed", "wrong label", "largest difference", "batch size: answers"),
        (
            (
                CONTESTANTS[run.contestant].title,
                f"{run.requests:,}",
                str(run.failures),
                str(run.wrong_labels),
                f"{run.largest_difference:.1e}",
                ", ".join(f"{size}: {count:,}" for size, count in run.batch_sizes.items()),
            )
            for run in results.exactness
        ),
    )


def neighbours(results: Results) -> str:
    """One connection beside load on another model, medians over the rounds."""
    pairs = dict.fromkeys((one.contestant, one.beside) for one in results.neighbours)
    medians = [found for pair in pairs if (found := results.neighbour(*pair))]
    return table(
        ("contestant", "load on", "p50 ms", "p99 ms", "requests/s of the load", "errors"),
        (
            (
                CONTESTANTS[one.contestant].title,
                one.beside,
                f"{one.p50_ms:.1f}",
                f"{one.p99_ms:.1f}",
                f"{one.load_rate:,.0f}" if one.load_rate else "",
                str(one.errors),
            )
            for one in medians
        ),
    )


def limits(results: Results) -> str:
    """Images/s without HTTP."""
    cells = dict.fromkeys((cell.picture, cell.batch) for cell in results.limits)
    return table(
        ("picture", "batch", "images/s"),
        ((picture, str(batch), f"{results.limit(picture, batch):,.0f}") for picture, batch in cells),
    )


def stages(results: Results) -> str:
    """What each stage costs."""
    return table(("stage", "cost", "unit"), ((one.name, f"{one.value:,.3g}", one.unit) for one in results.stages))


def devices(results: Results) -> str:
    """Images/s by batch size, a column for each model and device."""
    columns: dict[str, dict[int, str]] = {}
    for cell in results.devices:
        head = f"{cell.model} ({cell.parameters / 1e6:.3g} M parameters), {cell.device}"
        columns.setdefault(head, {})[cell.batch] = f"{cell.images_per_second:,.0f}"
    batches = sorted({cell.batch for cell in results.devices})
    return table(
        ("batch", *columns),
        ((str(batch), *(column.get(batch, "") for column in columns.values())) for batch in batches),
    )

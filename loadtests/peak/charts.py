"""The charts of a report: how latency, throughput, outcomes and the service's resources change with the rate of arrivals."""

from collections.abc import Sequence
from typing import Final

from loadtests.peak.curve import (
    PARTS,
    asked_rate,
    by_rate,
    in_flight,
    parts,
    queued,
    rate_runs,
    service_cores,
    service_memory,
)
from loadtests.peak.drawing import (
    LIGHT,
    Chart,
    label_lines,
    linear,
    logarithmic,
    new_figure,
    stacked_rows,
    style,
)
from loadtests.peak.rate_lines import Measure, are_measured, draw_lines
from loadtests.peak.results import LoadReport, Run

PART_COLOURS: Final = dict(zip(PARTS, ("blue", "sky", "amber", "red", "purple", "grey"), strict=True))
STAGE_COLOURS: Final = ("blue", "orange", "teal", "purple", "red", "muted")
# Latencies are drawn from here on: a logarithm has no 0.
LOWEST_MS: Final = 0.01


def charts(report: LoadReport) -> list[Chart]:
    """All charts for which the report has figures, in the order in which they are read."""
    with style():
        runs = rate_runs(report)
        found = [_seconds(run, number, report) for number, run in enumerate(scenario_runs(report), 1)]
        if by_rate(runs):
            found += [_latency(report, runs), _throughput(report, runs)]
        if runs:
            found.append(_outcomes(runs))
        if by_rate(run for run in runs if run.service.stages):
            found.append(_stages(report, runs))
        if rows := [run for run in report.runs if run.service.batch_sizes and not run.result.void]:
            found.append(_batches(rows))
        if any(are_measured(runs, queued, in_flight)):
            found.append(_queue(report, runs))
        if any(are_measured(runs, service_cores)):
            found.append(_cpu(report, runs))
        if any(are_measured(runs, service_memory)):
            found.append(_memory(report, runs))
        return found


def scenario_runs(report: LoadReport) -> list[Run]:
    """The runs of single scenarios."""
    return [run for run in report.runs if run.purpose == "scenario"]


def _latency(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "Latency (ms, logarithmic)"
    figure, (axes,) = new_figure()
    slo = report.objectives.slo_ms
    axes.axhline(slo, color=LIGHT["orange"], linestyle="--", linewidth=1.2)

    def percentile(field: str) -> Measure:
        return lambda run: max(LOWEST_MS, getattr(run.result.latency_ms, field)) if run.result.latency_ms.count else None

    axes.annotate(f"objective {slo:g} ms", (0, slo), (4, 3), "data", "offset points", color=LIGHT["orange"])
    lines = [("p99", "blue", percentile("p99")), ("p90", "teal", percentile("p90")), ("p50", "muted", percentile("p50"))]
    draw_lines(axes, runs, lines, logarithmic, report)
    axes.set_title(title)
    caption = (
        "How long callers wait for a correct response: half of them at most p50, 90 of 100 at most p90, 99 of 100 at most p99. "
        "Latency counts from when a request was due, so that waiting in a queue is in it. Every mark is a run."
    )
    return Chart("latency", title, caption, figure)


def _throughput(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "Correct responses a second"
    figure, (axes,) = new_figure()
    highest = max(map(asked_rate, runs))
    axes.plot([0, highest], [0, highest], color=LIGHT["muted"], linewidth=1, linestyle="--")
    lines: list[tuple[str, str, Measure]] = [
        ("all", "teal", lambda run: run.result.throughput),
        ("in time", "blue", lambda run: run.result.goodput),
    ]
    draw_lines(axes, runs, lines, linear, report)
    axes.set_title(title)
    caption = (
        f"All of them (throughput), and those within {report.objectives.slo_ms:g} ms (goodput). On the dashed line every "
        "request is answered; where the lines leave it, the service is beyond its peak."
    )
    return Chart("throughput", title, caption, figure)


def _outcomes(runs: Sequence[Run]) -> Chart:
    """Bars of the outcomes; a rate of which all runs are void is drawn as outlines."""
    title = "What became of the requests"
    usable = by_rate(runs)
    rates = sorted(set(map(asked_rate, runs)))
    rows = [parts_of(usable.get(rate) or [run for run in runs if asked_rate(run) == rate]) for rate in rates]
    names = [name for name in PARTS if any(row[name] for row in rows)]
    values = {name: [100 * row[name] / max(1, sum(row.values())) for row in rows] for name in names}
    colours = [LIGHT[PART_COLOURS[name]] for name in names]
    labels = [f"{rate:,.0f}/s" for rate in rates]
    figure, axes = stacked_rows(
        labels, values, colours, [rate not in usable for rate in rates], "% of the requests that were due"
    )
    axes.set_title(title)
    meanings = "; ".join(f"{name}: {PARTS[name]}" for name in names)
    void = " Outlines are void runs." if len(usable) < len(rates) else ""
    return Chart("outcomes", title, f"One bar for each rate. {meanings[:1].upper()}{meanings[1:]}.{void}", figure)


def parts_of(runs: Sequence[Run]) -> dict[str, int]:
    """The sums of the parts of several runs."""
    rows = [parts(run.result.outcomes) for run in runs]
    return {name: sum(row[name] for row in rows) for name in PARTS}


def _stages(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "Time in each stage (mean ms, logarithmic)"
    figure, (axes,) = new_figure()
    names = list(dict.fromkeys(stage.name for run in runs for stage in run.service.stages))

    def mean(name: str) -> Measure:
        def measure(run: Run) -> float | None:
            found = [one.mean_ms for one in run.service.stages if one.name == name and one.count]
            return max(LOWEST_MS, found[0]) if found else None

        return measure

    lines = [(name, STAGE_COLOURS[place % len(STAGE_COLOURS)], mean(name)) for place, name in enumerate(names)]
    draw_lines(axes, runs, lines, logarithmic, report)
    axes.set_title(title)
    caption = "From the service's own metrics. The stage that grows with the rate is where requests wait."
    return Chart("stages", title, caption, figure)


def _batches(runs: Sequence[Run]) -> Chart:
    """Bars of the sizes of batches at each rate; the larger, the stronger the colour."""
    title = "Images in one call of the model"
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=asked_rate):
        groups.setdefault(f"{asked_rate(run):,.0f}/s" if run.result.rate else run.result.scenario, []).append(run)
    sizes = sorted({size for run in runs for size, count in run.service.batch_sizes.items() if count})
    counts = [{size: sum(run.service.batch_sizes.get(size, 0) for run in group) for size in sizes} for group in groups.values()]
    values = {_size_name(size, sizes): [100 * row[size] / max(1, sum(row.values())) for row in counts] for size in sizes}
    shades = [(LIGHT["blue"], (place + 1) / len(sizes)) for place in range(len(sizes))]
    figure, axes = stacked_rows(list(groups), values, shades, [False] * len(groups), "% of the calls")
    axes.set_title(title)
    return Chart("batches", title, "Larger batches mean that images wait for each other, and cost less CPU time each.", figure)


def _size_name(size: int, sizes: Sequence[int]) -> str:
    """A batch size with the one below it: the service counts sizes in ranges."""
    lower = max((one + 1 for one in sizes if one < size), default=size)
    return f"{size:,}" if lower >= size or size <= 2 else f"{lower:,} to {size:,}"


def _queue(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "Images in the service (mean)"
    figure, (axes,) = new_figure()
    draw_lines(axes, runs, [("unanswered", "blue", in_flight), ("in queue", "teal", queued)], linear, report)
    axes.set_title(title)
    caption = "Images that were accepted and not yet answered, and those of them that waited for a model."
    return Chart("queue", title, caption, figure)


def _cpu(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "CPU time (cores)"
    figure, (axes,) = new_figure()
    axes.axhline(report.machine.cores, color=LIGHT["muted"], linewidth=1, linestyle="--")
    axes.annotate(f"the machine: {report.machine.cores} cores", (0, report.machine.cores), (4, 3), "data", "offset points")
    lines: list[tuple[str, str, Measure]] = [
        ("service", "blue", service_cores),
        ("generator", "orange", lambda run: run.result.generator.cpu_cores),
    ]
    axes.set_ylim(0, report.machine.cores * 1.15)
    draw_lines(axes, runs, lines, linear, report)
    axes.set_title(title)
    caption = "What the service and the load generator used on average. On one machine they share its cores."
    return Chart("cpu", title, caption, figure)


def _memory(report: LoadReport, runs: Sequence[Run]) -> Chart:
    title = "Memory of the service (MB)"
    figure, (axes,) = new_figure()
    draw_lines(axes, runs, [("most", "blue", service_memory)], linear, report)
    axes.set_title(title)
    return Chart("memory", title, "The most that all processes of the service held in a run.", figure)


def _seconds(run: Run, number: int, report: LoadReport) -> Chart:
    """A single scenario over its seconds: what was due and what was answered in time, and below it the latency."""
    result = run.result
    title = f"{result.scenario}: requests a second"
    figure, (upper, lower) = new_figure(2, 5.2)
    seconds = [one.second + 0.5 for one in result.series]
    due, in_time = [one.outcomes.due for one in result.series], [one.outcomes.in_time for one in result.series]
    upper.plot(seconds, due, color=LIGHT["muted"], linewidth=1.2)
    upper.plot(seconds, in_time, color=LIGHT["blue"])
    upper.set_xlim(0, max(result.seconds, 1))
    linear(upper)
    upper.set_title(title + (" (void)" if result.void else ""))
    for field, colour in (("p99", "blue"), ("p50", "muted")):
        values = [max(LOWEST_MS, getattr(one, field)) if one.outcomes.correct else float("nan") for one in result.series]
        lower.plot(seconds, values, color=LIGHT[colour])
    lower.axhline(report.objectives.slo_ms, color=LIGHT["orange"], linestyle="--", linewidth=1.2)
    note = f"objective {report.objectives.slo_ms:g} ms"
    lower.annotate(note, (0, report.objectives.slo_ms), (4, 3), "data", "offset points", color=LIGHT["orange"])
    logarithmic(lower)
    lower.set_title("Latency (ms, logarithmic)")
    lower.set_xlabel("seconds since the start")
    if result.series:
        name = "due" if result.loop == "open" else "sent"
        label_lines(upper, [(due[-1], name, LIGHT["muted"]), (in_time[-1], "in time", LIGHT["blue"])])
        last = result.series[-1]
        ends = [(last.p99, "p99", LIGHT["blue"]), (last.p50, "p50", LIGHT["muted"])]
        label_lines(lower, [(max(LOWEST_MS, y), text, colour) for y, text, colour in ends])
    caption = (
        "Each second counts the requests that were due in it. The gap between the lines are requests that were late or failed."
    )
    return Chart(f"seconds-{number}-{result.scenario}", title, caption, figure)

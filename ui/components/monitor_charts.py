"""HTML of the panel of live figures: a number with its course over the last minutes, and the sizes of batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ui.components import markup
from ui.i18n.translation import translate
from ui.state.monitor import Rates

NO_VALUE: Final = "–"


def to_html(history: Sequence[Rates]) -> str:
    """Return the figures of the last rates, each with its course over all rates."""
    figures: list[tuple[str, Callable[[Rates], float | None], str]] = [
        (translate("monitor.requests"), lambda each: each.requests_per_second, "{:.1f}/s"),
        (translate("monitor.p50"), lambda each: each.p50_ms, "≤ {:g} ms"),
        (translate("monitor.p99"), lambda each: each.p99_ms, "≤ {:g} ms"),
        (translate("monitor.queue"), lambda each: each.queue, "{:.0f}"),
        (translate("monitor.in_flight"), lambda each: each.in_flight, "{:.0f}"),
    ]
    items = [figure(title, [value(each) for each in history], unit) for title, value, unit in figures]
    items.append(
        f"<div><dt>{markup.escape(translate('monitor.batch_sizes'))}</dt><dd>{batch_sizes(history[-1].batch_sizes)}</dd></div>"
    )
    return f'<dl class="live-figures">{"".join(items)}</dl>'


def figure(title: str, values: Sequence[float | None], unit: str) -> str:
    """Return the latest value with its title and its course."""
    latest = values[-1]
    text = NO_VALUE if latest is None else unit.format(latest)
    return f"<div><dt>{markup.escape(title)}</dt><dd>{markup.escape(text)}{course(values)}</dd></div>"


def course(values: Sequence[float | None]) -> str:
    """Return the values as columns from left to right; the highest value has the full height, and no value no column."""
    highest = max((value for value in values if value is not None), default=0.0) or 1.0
    columns = "".join(f'<i style="height: {100 * (value or 0.0) / highest:.0f}%"></i>' for value in values)
    return f'<div class="course" aria-hidden="true">{columns}</div>'


def batch_sizes(counts: Mapping[int, int]) -> str:
    """Return how many batches there were of each size."""
    total = sum(counts.values())
    if not total:
        return NO_VALUE
    below, parts = 0, []
    for bound, count in sorted(counts.items()):
        size = f"{bound}" if bound <= below + 1 else f"≤ {bound}"
        parts.append(f"<span>{size}: {count / total:.0%}</span>")
        below = bound
    return "".join(parts)

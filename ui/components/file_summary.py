"""HTML above and below the table of many files: how many pictures have each label, and how fast they were classified."""

from typing import Final

from ui.components import markup
from ui.i18n.translation import translate
from ui.state.file_statistics import LabelCounts, Performance

# Of more labels than this, the most frequent ones are shown.
MAX_LABELS: Final = 24


def label_counts(counts: LabelCounts) -> str:
    """Return a list of the labels with the number of pictures of each; then those that were not recognised or not read."""
    items = [_count(label, number) for label, number in counts.labels[:MAX_LABELS]]
    hidden = counts.labels[MAX_LABELS:]
    if hidden:
        items.append(_count(translate("files.other_labels", count=len(hidden)), sum(n for _, n in hidden), "muted"))
    if counts.rejected:
        items.append(_count(translate("files.not_recognised"), counts.rejected, "muted"))
    if counts.failed:
        items.append(_count(translate("files.not_read"), counts.failed, "error"))
    title = markup.escape(translate("files.counts"))
    return f'<ul class="label-counts" aria-label="{title}">{"".join(items)}</ul>'


def performance(measured: Performance) -> str:
    """Return one line with the rate, the latencies and the batches."""
    values = {
        "pictures": measured.pictures,
        "requests": measured.requests,
        "rate": f"{measured.rate:,.0f}" if measured.rate >= 10 else f"{measured.rate:.1f}",
        "p50": f"{measured.p50_ms:,.1f}",
        "p90": f"{measured.p90_ms:,.1f}",
    }
    parts = [translate("files.rate", pictures=values["pictures"], requests=values["requests"], rate=values["rate"])]
    parts.append(translate("files.latency", p50=values["p50"], p90=values["p90"]))
    if measured.batch_sizes:
        parts.append(translate("files.batch_sizes", sizes=", ".join(map(str, measured.batch_sizes))))
    return f'<p class="muted performance">{markup.escape(" · ".join(parts))}</p>'


def _count(label: str, number: int, kind: str = "") -> str:
    # The space keeps label and number apart where they are read aloud or copied.
    return f'<li class="{kind}"><b>{markup.escape(label)}</b> <span>{number:,}</span></li>'

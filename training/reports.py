"""What a service answered, for people: tables, comparisons with the card, the worst confusions as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from models.card import Metrics
from training.datasets import Labels
from training.evaluation import confusions
from training.frames import Pictures
from training.plots import draw_confusions

# A card may differ by this much from what is measured: answers are rounded, and processors add in other orders.
TOLERANCE: Final = 0.001
WORST: Final = 6
EXAMPLES: Final = 10
THUMBNAIL: Final = 56
CAPTION: Final = 14


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities ``float64[N, K]`` of ``labels``, whether each picture was rejected ``bool[N]``, its class ``int64[N]``."""

    probabilities: npt.NDArray[np.float64]
    rejected: npt.NDArray[np.bool_]
    truth: Labels
    labels: list[str]

    @property
    def winners(self) -> Labels:
        """The likeliest class of every picture: ``int64[N]``."""
        return np.asarray(self.probabilities.argmax(axis=1))


def text(metrics: Metrics, answers: Answers) -> str:
    """Accuracy, calibration error and n, and every class with what it is most often taken for."""
    right = answers.winners == answers.truth
    width = max(5, *(len(label) for label in answers.labels))
    lines = [
        f"n {metrics.n:,}",
        f"accuracy {metrics.accuracy:.2%}   ({int((~right).sum())} wrong), balanced {metrics.balanced_accuracy:.2%}",
        f"mean confidence of the right ones {answers.probabilities.max(axis=1)[right].mean():.4f}",
        f"expected calibration error {metrics.ece:.2%} (15 bins)",
        f"accepted {1 - answers.rejected.mean():.2%}",
        "",
        f"{'class':<{width}} {'n':>6} {'precision':>10} {'recall':>8}   most often read as",
    ]
    table = confusions(answers.probabilities, answers.truth)
    for label, one in metrics.per_class.items():
        row = table[answers.labels.index(label)].copy()
        row[answers.labels.index(label)] = 0
        other = f"{answers.labels[int(row.argmax())]} ({row.max()})" if row.max() else "-"
        lines.append(f"{label:<{width}} {one.n:>6} {one.precision:>10.2%} {one.recall:>8.2%}   {other}")
    return "\n".join(lines)


def exaggerations(model: str, claims: Sequence[Metrics], found: Metrics) -> list[str]:
    """A line for each figure of a card that is better than what was measured on the same pictures."""
    claim = next((one for one in claims if (one.dataset, one.split) == (found.dataset, found.split)), None)
    where = f"{model}, {found.dataset}, {found.split}"
    if claim is None:
        return [f"{where}: the card says nothing of it, {found.accuracy:.2%} was measured"]
    lines = []
    if claim.n != found.n:
        lines.append(f"{where}: the card says n {claim.n:,}, there are {found.n:,} pictures")
    if claim.accuracy > found.accuracy + TOLERANCE:
        lines.append(f"{where}: the card claims an accuracy of {claim.accuracy:.2%}, {found.accuracy:.2%} was measured")
    if claim.ece < found.ece - TOLERANCE:
        lines.append(f"{where}: the card claims a calibration error of {claim.ece:.2%}, {found.ece:.2%} was measured")
    for label, one in found.per_class.items():
        claimed = claim.per_class.get(label)
        # One picture of a small class is more than the tolerance.
        slack = TOLERANCE + 1.5 / one.n
        if claimed is None or claimed.recall > one.recall + slack:
            said = "nothing" if claimed is None else f"{claimed.recall:.2%}"
            lines.append(f"{where}: of {label} the card claims {said}, {one.recall:.2%} was measured")
    return lines


def keep(model: str, answers: Answers, pictures: Pictures, out: Path) -> None:
    """Write the table of confusions and the pictures of the worst ones: ``MODEL.png``, ``MODEL-worst.png``."""
    out.mkdir(parents=True, exist_ok=True)
    draw_confusions(confusions(answers.probabilities, answers.truth), answers.labels, out / f"{model}.png")
    worst_confusions(answers, pictures).save(out / f"{model}-worst.png", optimize=True)


def worst_confusions(answers: Answers, pictures: Pictures) -> Image.Image:
    """A row for each of the most frequent confusions: what it is, what it was read as, and the surest such pictures."""
    table = confusions(answers.probabilities, answers.truth)
    np.fill_diagonal(table, 0)
    places = np.argsort(-table, axis=None, kind="stable")[:WORST]
    rows = [(int(truth), int(read)) for truth, read in zip(*np.unravel_index(places, table.shape), strict=True)]
    shown = {row: _surest(answers, *row) for row in rows if table[row]}
    wanted = {place for chosen in shown.values() for place in chosen}
    thumbnails = {place: _thumbnail(image) for place, image in enumerate(pictures.images()) if place in wanted}
    sheet = Image.new("L", (EXAMPLES * (THUMBNAIL + 4), max(1, len(shown)) * (THUMBNAIL + CAPTION + 4)), 230)
    pen = ImageDraw.Draw(sheet)
    for number, ((truth, read), chosen) in enumerate(shown.items()):
        top = number * (THUMBNAIL + CAPTION + 4)
        pen.text((2, top + 1), f"{answers.labels[truth]} read as {answers.labels[read]}: {table[truth, read]}", fill=0)
        for column, place in enumerate(chosen):
            sheet.paste(thumbnails[place], (column * (THUMBNAIL + 4), top + CAPTION))
    return sheet


def _surest(answers: Answers, truth: int, read: int) -> list[int]:
    places = np.flatnonzero((answers.truth == truth) & (answers.winners == read))
    order = np.argsort(-answers.probabilities[places, read], kind="stable")
    return [int(place) for place in places[order][:EXAMPLES]]


def _thumbnail(image: Image.Image) -> Image.Image:
    grey = image.convert("L")
    scale = THUMBNAIL / max(grey.size)
    small = grey.resize((max(1, round(grey.width * scale)), max(1, round(grey.height * scale))))
    square = Image.new("L", (THUMBNAIL, THUMBNAIL), 128)
    square.paste(small, ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2))
    return square

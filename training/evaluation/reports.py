"""Reports predictions: a summary in text, comparisons with a card, and images of the most frequent confusions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from models.card_fields import Metrics
from training.data.datasets import Labels
from training.data.image_sets import ImageSet
from training.evaluation.metrics import confusion_matrix
from training.evaluation.plots import plot_confusions

# A card may differ by this much from the measurement: answers are rounded, and processors add in different orders.
TOLERANCE: Final = 0.001
WORST: Final = 6
EXAMPLES: Final = 10
THUMBNAIL: Final = 56
CAPTION: Final = 14


@dataclass(frozen=True, slots=True)
class Predictions:
    """Probabilities ``float64[N, K]`` of ``labels``, whether each image was rejected ``bool[N]``, true classes ``int64[N]``."""

    probabilities: npt.NDArray[np.float64]
    rejected: npt.NDArray[np.bool_]
    truth: Labels
    labels: list[str]

    @property
    def predicted(self) -> Labels:
        """The most probable class of every image: ``int64[N]``."""
        return np.asarray(self.probabilities.argmax(axis=1))


def summary(metrics: Metrics, predictions: Predictions) -> str:
    """Format accuracy, calibration error and n, and every class with its most frequent confusion."""
    right = predictions.predicted == predictions.truth
    width = max(5, *(len(label) for label in predictions.labels))
    lines = [
        f"n {metrics.n:,}",
        f"accuracy {metrics.accuracy:.2%}   ({int((~right).sum())} wrong), balanced {metrics.balanced_accuracy:.2%}",
        f"mean confidence of right answers {predictions.probabilities.max(axis=1)[right].mean():.4f}",
        f"expected calibration error {metrics.ece:.2%} (15 bins)",
        f"accepted {1 - predictions.rejected.mean():.2%}",
        "",
        f"{'class':<{width}} {'n':>6} {'precision':>10} {'recall':>8}   most often confused with",
    ]
    matrix = confusion_matrix(predictions.probabilities, predictions.truth)
    for label, one in metrics.per_class.items():
        row = matrix[predictions.labels.index(label)].copy()
        row[predictions.labels.index(label)] = 0
        other = f"{predictions.labels[int(row.argmax())]} ({row.max()})" if row.max() else "-"
        lines.append(f"{label:<{width}} {one.n:>6} {one.precision:>10.2%} {one.recall:>8.2%}   {other}")
    return "\n".join(lines)


def overstated_metrics(model: str, stated: Sequence[Metrics], measured: Metrics) -> list[str]:
    """Describe, a line each, the figures of a card that are better than measured on the same images."""
    claim = next((one for one in stated if (one.dataset, one.split) == (measured.dataset, measured.split)), None)
    where = f"{model}, {measured.dataset}, {measured.split}"
    if claim is None:
        return [f"{where}: the card has no metrics of this test set, measured {measured.accuracy:.2%}"]
    lines = []
    if claim.n != measured.n:
        lines.append(f"{where}: the card states n {claim.n:,}, there are {measured.n:,} images")
    if claim.accuracy > measured.accuracy + TOLERANCE:
        lines.append(f"{where}: the card states an accuracy of {claim.accuracy:.2%}, measured {measured.accuracy:.2%}")
    if claim.ece < measured.ece - TOLERANCE:
        lines.append(f"{where}: the card states a calibration error of {claim.ece:.2%}, measured {measured.ece:.2%}")
    for label, one in measured.per_class.items():
        stated_class = claim.per_class.get(label)
        # One image of a small class is more than the tolerance.
        slack = TOLERANCE + 1.5 / one.n
        if stated_class is None or stated_class.recall > one.recall + slack:
            recall = "no recall" if stated_class is None else f"a recall of {stated_class.recall:.2%}"
            lines.append(f"{where}: the card states {recall} of {label}, measured {one.recall:.2%}")
    return lines


def save_confusions(model: str, predictions: Predictions, images: ImageSet, out: Path) -> None:
    """Write the confusion matrix as ``MODEL.png`` and examples of the worst confusions as ``MODEL-worst.png``."""
    out.mkdir(parents=True, exist_ok=True)
    matrix = confusion_matrix(predictions.probabilities, predictions.truth)
    plot_confusions(matrix, predictions.labels, out / f"{model}.png")
    worst_confusions(predictions, images).save(out / f"{model}-worst.png", optimize=True)


def worst_confusions(predictions: Predictions, images: ImageSet) -> Image.Image:
    """Render a row for each of the most frequent confusions, with the images of highest confidence."""
    matrix = confusion_matrix(predictions.probabilities, predictions.truth)
    np.fill_diagonal(matrix, 0)
    cells = np.argsort(-matrix, axis=None, kind="stable")[:WORST]
    rows = [(int(truth), int(read)) for truth, read in zip(*np.unravel_index(cells, matrix.shape), strict=True)]
    examples = {row: _most_confident(predictions, *row) for row in rows if matrix[row]}
    wanted = {index for indices in examples.values() for index in indices}
    thumbnails = {index: _thumbnail(image) for index, image in enumerate(images.images()) if index in wanted}
    canvas = Image.new("L", (EXAMPLES * (THUMBNAIL + 4), max(1, len(examples)) * (THUMBNAIL + CAPTION + 4)), 230)
    draw = ImageDraw.Draw(canvas)
    for number, ((truth, read), indices) in enumerate(examples.items()):
        top = number * (THUMBNAIL + CAPTION + 4)
        caption = f"{predictions.labels[truth]} read as {predictions.labels[read]}: {matrix[truth, read]}"
        draw.text((2, top + 1), caption, fill=0)
        for column, index in enumerate(indices):
            canvas.paste(thumbnails[index], (column * (THUMBNAIL + 4), top + CAPTION))
    return canvas


def _most_confident(predictions: Predictions, truth: int, read: int) -> list[int]:
    indices = np.flatnonzero((predictions.truth == truth) & (predictions.predicted == read))
    order = np.argsort(-predictions.probabilities[indices, read], kind="stable")
    return [int(index) for index in indices[order][:EXAMPLES]]


def _thumbnail(image: Image.Image) -> Image.Image:
    grey = image.convert("L")
    scale = THUMBNAIL / max(grey.size)
    small = grey.resize((max(1, round(grey.width * scale)), max(1, round(grey.height * scale))))
    square = Image.new("L", (THUMBNAIL, THUMBNAIL), 128)
    square.paste(small, ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2))
    return square

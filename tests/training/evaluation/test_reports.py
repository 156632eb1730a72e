"""Reports: summary, comparison with a card, images of the worst confusions."""

import numpy as np
import pytest
from PIL import Image

from models.card_fields import Metrics
from training.data.image_sets import ImageSet
from training.evaluation.metrics import card_metrics
from training.evaluation.reports import EXAMPLES, Predictions, overstated_metrics, summary, worst_confusions

LABELS = ["cat", "dog", "owl"]
NAME = "animals, test"


def predictions(predicted: list[int], truth: list[int]) -> Predictions:
    probabilities = np.full((len(predicted), len(LABELS)), 0.05)
    probabilities[np.arange(len(predicted)), predicted] = 0.9
    return Predictions(probabilities, np.zeros(len(predicted), dtype=np.bool_), np.array(truth), LABELS)


def metrics(given: Predictions) -> Metrics:
    return card_metrics(given.probabilities, given.truth, given.labels, NAME)


GIVEN = predictions([0, 0, 0, 1, 1, 0, 2, 2], [0, 0, 0, 0, 1, 1, 2, 2])


def test_precision_and_recall_of_classes() -> None:
    found = metrics(GIVEN)
    assert (found.dataset, found.split, found.n, found.accuracy) == ("animals", "test", 8, 0.75)
    assert (found.per_class["cat"].n, found.per_class["cat"].recall, found.per_class["cat"].precision) == (4, 0.75, 0.75)
    assert (found.per_class["dog"].recall, found.per_class["dog"].precision) == (0.5, 0.5)
    assert found.balanced_accuracy == pytest.approx((0.75 + 0.5 + 1) / 3)


def test_summary_has_every_class_with_its_most_frequent_confusion() -> None:
    lines = summary(metrics(GIVEN), GIVEN).splitlines()
    assert "n 8" in lines
    assert any(line.startswith("cat") and line.endswith("dog (1)") for line in lines)
    assert any(line.startswith("owl") and line.endswith("-") for line in lines)


def test_card_with_the_measured_figures_or_worse_is_not_overstated() -> None:
    found = metrics(GIVEN)
    assert overstated_metrics("animals", [found], found) == []
    modest = found.model_copy(update={"accuracy": 0.5, "ece": 0.9})
    assert overstated_metrics("animals", [modest], found) == []


@pytest.mark.parametrize(
    ("better", "word"),
    [({"accuracy": 0.76}, "accuracy of 76.00%"), ({"ece": 0.0}, "calibration error of 0.00%"), ({"n": 9}, "n 9")],
)
def test_card_with_better_figures_is_reported(better: dict[str, float], word: str) -> None:
    found = metrics(GIVEN)
    (line,) = overstated_metrics("animals", [found.model_copy(update=better)], found)
    assert word in line and "animals" in line


def test_card_with_better_recall_of_a_class_is_reported() -> None:
    many = predictions([0] * 900 + [1] * 100, [0] * 1000)
    found = metrics(many)
    cat = found.per_class["cat"].model_copy(update={"recall": 0.95})
    (line,) = overstated_metrics("animals", [found.model_copy(update={"per_class": {"cat": cat}})], found)
    assert "the card states a recall of 95.00% of cat, measured 90.00%" in line


def test_card_without_the_test_set_is_reported() -> None:
    assert "has no metrics" in overstated_metrics("animals", [], metrics(GIVEN))[0]


def shade(level: int, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    return Image.new("L", (20, 10), level)


def test_worst_confusions_show_the_misclassified_images() -> None:
    given = predictions([1] * 12 + [2, 0, 1], [0] * 12 + [1, 0, 1])
    levels = [200] * 12 + [100, 0, 0]
    canvas = np.asarray(worst_confusions(given, ImageSet(shade, levels, given.truth)))
    first, second = canvas[: canvas.shape[0] // 2], canvas[canvas.shape[0] // 2 :]
    side = canvas.shape[1] // EXAMPLES
    assert all((first[:, column * side : column * side + 50] == 200).any() for column in range(EXAMPLES))
    assert (second[:, :50] == 100).any() and not (second[:, side:] == 100).any()

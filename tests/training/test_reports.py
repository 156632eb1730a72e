"""training.reports: tables, comparisons with a card, the worst confusions."""

import numpy as np
import pytest
from PIL import Image

from models.card import Metrics
from training.evaluation import measured
from training.frames import Pictures
from training.reports import EXAMPLES, Answers, exaggerations, text, worst_confusions

LABELS = ["cat", "dog", "owl"]
NAME = "animals, test"


def answers(winners: list[int], truth: list[int]) -> Answers:
    probabilities = np.full((len(winners), len(LABELS)), 0.05)
    probabilities[np.arange(len(winners)), winners] = 0.9
    return Answers(probabilities, np.zeros(len(winners), dtype=np.bool_), np.array(truth), LABELS)


def metrics(given: Answers) -> Metrics:
    return measured(given.probabilities, given.truth, given.labels, NAME)


GIVEN = answers([0, 0, 0, 1, 1, 0, 2, 2], [0, 0, 0, 0, 1, 1, 2, 2])


def test_precision_and_recall_are_of_the_class() -> None:
    found = metrics(GIVEN)
    assert (found.dataset, found.split, found.n, found.accuracy) == ("animals", "test", 8, 0.75)
    assert (found.per_class["cat"].n, found.per_class["cat"].recall, found.per_class["cat"].precision) == (4, 0.75, 0.75)
    assert (found.per_class["dog"].recall, found.per_class["dog"].precision) == (0.5, 0.5)
    assert found.balanced_accuracy == pytest.approx((0.75 + 0.5 + 1) / 3)


def test_the_text_names_every_class_and_what_it_is_taken_for() -> None:
    lines = text(metrics(GIVEN), GIVEN).splitlines()
    assert "n 8" in lines
    assert any(line.startswith("cat") and line.endswith("dog (1)") for line in lines)
    assert any(line.startswith("owl") and line.endswith("-") for line in lines)


def test_a_card_that_claims_what_is_measured_is_no_exaggeration() -> None:
    found = metrics(GIVEN)
    assert exaggerations("animals", [found], found) == []
    modest = found.model_copy(update={"accuracy": 0.5, "ece": 0.9})
    assert exaggerations("animals", [modest], found) == []


@pytest.mark.parametrize(
    ("better", "word"),
    [({"accuracy": 0.76}, "accuracy of 76.00%"), ({"ece": 0.0}, "calibration error of 0.00%"), ({"n": 9}, "n 9")],
)
def test_a_card_that_claims_more_is_told(better: dict[str, float], word: str) -> None:
    found = metrics(GIVEN)
    (line,) = exaggerations("animals", [found.model_copy(update=better)], found)
    assert word in line and "animals" in line


def test_a_class_that_is_better_on_the_card_is_told() -> None:
    many = answers([0] * 900 + [1] * 100, [0] * 1000)
    found = metrics(many)
    cat = found.per_class["cat"].model_copy(update={"recall": 0.95})
    (line,) = exaggerations("animals", [found.model_copy(update={"per_class": {"cat": cat}})], found)
    assert "of cat the card claims 95.00%, 90.00% was measured" in line


def test_a_card_that_says_nothing_of_the_pictures_is_told() -> None:
    assert "says nothing" in exaggerations("animals", [], metrics(GIVEN))[0]


def shade(level: int, hand: np.random.Generator) -> Image.Image:  # noqa: ARG001
    return Image.new("L", (20, 10), level)


def test_the_worst_confusions_show_the_pictures_that_were_taken_for_another_class() -> None:
    given = answers([1] * 12 + [2, 0, 1], [0] * 12 + [1, 0, 1])
    levels = [200] * 12 + [100, 0, 0]
    sheet = np.asarray(worst_confusions(given, Pictures(shade, levels, given.truth)))
    first, second = sheet[: sheet.shape[0] // 2], sheet[sheet.shape[0] // 2 :]
    side = sheet.shape[1] // EXAMPLES
    assert all((first[:, column * side : column * side + 50] == 200).any() for column in range(EXAMPLES))
    assert (second[:, :50] == 100).any() and not (second[:, side:] == 100).any()

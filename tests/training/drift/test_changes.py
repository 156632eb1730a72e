"""Digits that are drawn here, as they are and under changes, answered by the shipped model: what is noticed."""

from pathlib import Path

import numpy as np
import pytest

from models.answers import Answers
from models.reference import QUANTITIES, Quantity, Reference
from models.stability import compare
from models.store import CATALOGUE
from training.data.image_sets import ImageSet
from training.drift.changes import Answerer, Change, common_changes, only
from training.rendering.strokes import draw

N = 120
REFERENCE = 500
# What moves neither labels, confidence nor ink of such clear digits enough in so few pictures; docs/drift.md has test sets.
UNNOTICED = {"camera with little light", "another file: weights rounded to 4 bits"}


def digits(n: int, seed: int) -> ImageSet:
    labels = np.arange(n, dtype=np.int64) % 10
    return ImageSet(draw, labels, labels, seed)


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return Answerer(CATALOGUE / "digits")


@pytest.fixture(scope="module")
def reference(answerer: Answerer) -> Reference:
    return answerer.answers(digits(REFERENCE, 0).images())[0].reference("drawn digits", "test")


def drifted(answers: Answers, reference: Reference) -> set[Quantity]:
    """The quantities that have drifted."""
    found: set[Quantity] = set()
    for quantity in QUANTITIES:
        counts = np.bincount(answers.bins(quantity, reference), minlength=len(reference.bins(quantity)))
        if compare(quantity, counts, reference).drifted:
            found.add(quantity)
    return found


def test_other_digits_of_the_same_kind_are_not_noticed(answerer: Answerer, reference: Reference) -> None:
    assert drifted(answerer.answers(digits(N, 1).images())[0], reference) == set()


CHANGES = [
    *(change for change in common_changes(digits(N, 1)) if change.name not in UNNOTICED),
    Change("only 1s and 7s", only(digits(5 * N, 1), (1, 7))),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_changes_are_noticed(answerer: Answerer, reference: Reference, change: Change, tmp_path: Path) -> None:
    answers, accuracy = answerer.changed(change, N, tmp_path)
    found = drifted(answers, reference)
    assert accuracy is not None and accuracy < 1
    assert change.name != "only 1s and 7s" or accuracy > 0.9
    assert found
    assert "ink" in found or not change.inverted

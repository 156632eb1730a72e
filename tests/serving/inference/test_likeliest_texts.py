"""The k likeliest combinations, compared with all of them."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference.likeliest_texts import SMALLEST_PROBABILITY, likeliest_labels
from tests.support.cost import relative_cost

Rows = list[list[float]]
PROBABILITY = st.sampled_from([0.0, 1e-9, 0.01, 0.25, 0.5, 1.0]) | st.floats(0, 1)


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    """Probabilities of up to 5 characters, each of the same 2 to 4 labels."""
    k = draw(st.integers(2, 4))
    return draw(st.lists(st.lists(PROBABILITY, min_size=k, max_size=k), min_size=1, max_size=5))


def probability(given: Rows, labels: list[int]) -> float:
    return prod(max(row[index], SMALLEST_PROBABILITY) for row, index in zip(given, labels, strict=True))


@given(rows(), st.integers(1, 40))
def test_no_combination_is_likelier_than_those_found(given: Rows, k: int) -> None:
    found = likeliest_labels([np.asarray(row) for row in given], k)
    every = sorted((probability(given, [*labels]) for labels in product(*(range(len(row)) for row in given))), reverse=True)
    assert len(found) == min(k, len(every))
    assert len({tuple(labels) for labels in found}) == len(found)
    logarithms = [np.log(max(probability(given, labels), SMALLEST_PROBABILITY)) for labels in found]
    assert logarithms == pytest.approx(np.log(np.maximum(every[: len(found)], SMALLEST_PROBABILITY)), abs=1e-6)


@given(rows())
def test_the_first_is_of_the_likeliest_labels(given: Rows) -> None:
    assert likeliest_labels([np.asarray(row) for row in given], 1) == [
        [int(np.argmax(np.maximum(row, SMALLEST_PROBABILITY))) for row in given]
    ]


def test_no_characters_have_one_empty_text() -> None:
    assert likeliest_labels([], 3) == [[]]


def test_many_texts_of_many_characters_take_no_longer_than_a_hundred_small_answers() -> None:
    many = np.random.default_rng(0).dirichlet(np.full(36, 0.1), 64)
    assert relative_cost(lambda: likeliest_labels([*many], 1000), rounds=5) < 100

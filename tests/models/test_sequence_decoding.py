"""The reading that the lattice of candidates and their log-probabilities give."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.sequence_decoding import best_reading, in_context, kinds_of
from preprocessing import CharacterCandidate, Segmentation

BLANK = Image.new("L", (1, 1))


def candidate(line: int, first: int, last: int) -> CharacterCandidate:
    return CharacterCandidate((0, 0, 1, 1), line, first, last, BLANK)


def full(pieces: list[int]) -> Segmentation:
    """A segmentation with every candidate of up to three pieces."""
    candidates = [
        candidate(line, first, last)
        for line, count in enumerate(pieces)
        for first in range(count)
        for last in range(first + 1, min(count, first + 3) + 1)
    ]
    return Segmentation(candidates, pieces)


def test_a_confident_whole_is_read_rather_than_its_unsure_halves() -> None:
    segmentation = full([2])
    log_probabilities = np.log([[0.6, 0.4], [0.99, 0.01], [0.5, 0.5]])
    assert best_reading(segmentation, log_probabilities) == [1]


def test_confident_halves_are_read_rather_than_a_unsure_whole() -> None:
    segmentation = full([2])
    log_probabilities = np.log([[0.99, 0.01], [0.5, 0.5], [0.98, 0.02]])
    assert best_reading(segmentation, log_probabilities) == [0, 2]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 1000))
def test_every_piece_of_every_line_is_read_once_and_in_order(pieces: list[int], seed: int) -> None:
    segmentation = full(pieces)
    scores = np.random.default_rng(seed).normal(0, 3, (len(segmentation.candidates), 4))
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    chosen = [segmentation.candidates[index] for index in best_reading(segmentation, log_probabilities)]
    assert [one.line for one in chosen] == sorted(one.line for one in chosen)
    for line, count in enumerate(pieces):
        spans = [(one.first, one.last) for one in chosen if one.line == line]
        assert spans[0][0] == 0 and spans[-1][1] == count
        assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


def test_a_prior_decides_between_equally_likely_readings() -> None:
    segmentation = full([2])
    unlikely = [one._replace(prior=-1.0) if one.last - one.first == 2 else one for one in segmentation.candidates]
    log_probabilities = np.log(np.full((3, 2), 0.5))
    assert best_reading(Segmentation(unlikely, [2]), log_probabilities) == [0, 2]


def test_an_o_that_may_be_a_0_is_as_clear_as_another_letter() -> None:
    segmentation = full([2])
    kinds = kinds_of(["0", "O", "X"])
    log_probabilities = np.log([[0.05, 0.05, 0.7], [0.5, 0.48, 0.02], [0.05, 0.05, 0.7]])
    assert best_reading(segmentation, log_probabilities, kinds) == [1]
    assert best_reading(segmentation, log_probabilities) == [0, 2]


def test_where_letters_are_read_fewer_characters_are_preferred() -> None:
    segmentation = full([2])
    log_probabilities = np.log([[0.96, 0.04], [0.8, 0.2], [0.96, 0.04]])
    assert best_reading(segmentation, log_probabilities, kinds_of(["M", "I"])) == [1]
    assert best_reading(segmentation, log_probabilities, kinds_of(["8", "3"])) == [0, 2]


LABELS = ["0", "1", "O", "X"]


def test_an_ambiguous_character_is_read_as_its_neighbours() -> None:
    either = [0.5, 0.0, 0.5, 0.0]
    digits, letters = [0.02, 0.95, 0.02, 0.01], [0.01, 0.02, 0.02, 0.95]
    kinds = kinds_of(LABELS)
    assert in_context(np.array([digits, either, digits]), [0, 0, 0], kinds)[1].argmax() == 0
    assert in_context(np.array([letters, either, letters]), [0, 0, 0], kinds)[1].argmax() == 2


def test_the_context_of_a_line_does_not_reach_the_next() -> None:
    either = [0.49, 0.0, 0.51, 0.0]
    digits = [0.02, 0.95, 0.02, 0.01]
    found = in_context(np.array([digits, digits, either]), [0, 0, 1], kinds_of(LABELS))
    assert found[2].tolist() == either


def test_a_clear_letter_among_digits_stays_a_letter() -> None:
    digits = [0.3, 0.7, 0.0, 0.0]
    rows = np.array([digits, [0.0, 0.0, 0.0, 1.0], digits])
    assert in_context(rows, [0, 0, 0], kinds_of(LABELS)).argmax(axis=1).tolist() == [1, 3, 1]


@given(st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_context_keeps_the_sum_of_probabilities(count: int, seed: int, of_one_kind: bool) -> None:
    rows = np.random.default_rng(seed).dirichlet([0.3] * 4, count) * 0.9
    kinds = kinds_of(["0", "1", "2", "3"] if of_one_kind else LABELS)
    found = in_context(rows, [0] * count, kinds)
    np.testing.assert_allclose(found.sum(axis=1), 0.9)
    if count == 1 or of_one_kind:
        assert (found == rows).all()

"""The challenge: time, score, skipping, the order of the labels, and the hardest of them."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from tests.ui.gallery_helpers import FakeClock
from ui.api.schemas import Geometry, ModelCard, ModelInput, ModelOutput
from ui.state.challenge import DURATION, MAX_LABELS, Attempt, Challenge, Difficulty, is_playable

LABELS = ["A", "B", "C"]
PNG = b"a picture"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def game(clock: FakeClock) -> Challenge:
    return Challenge(LABELS, clock, Random(1))


def test_right_answer_scores_and_asks_for_the_next_label(game: Challenge, clock: FakeClock) -> None:
    first = game.wanted
    clock.now += 4
    assert game.judge(first, rejected=False, picture=PNG)
    assert game.score == 1
    assert game.wanted != first
    assert game.attempts == [Attempt(first, 4, PNG, solved=True)]


def test_wrong_and_rejected_answers_change_nothing(game: Challenge) -> None:
    wanted = game.wanted
    assert not game.judge(wanted, rejected=True, picture=PNG)
    assert not game.judge(next(label for label in LABELS if label != wanted), rejected=False, picture=PNG)
    assert (game.score, game.wanted, game.attempts) == (0, wanted, [])


def test_answer_after_the_end_does_not_count(game: Challenge, clock: FakeClock) -> None:
    clock.now += DURATION - 0.5
    assert game.remaining == pytest.approx(0.5)
    clock.now += 0.5
    assert game.remaining == 0
    assert not game.judge(game.wanted, rejected=False, picture=PNG)
    game.skip(PNG)
    assert game.attempts == []


def test_stopped_game_has_no_time_left(game: Challenge) -> None:
    game.stop()
    assert game.remaining == 0
    assert not game.judge(game.wanted, rejected=False, picture=PNG)


def test_all_labels_are_asked_for_before_any_comes_again(clock: FakeClock) -> None:
    for seed in range(50):
        game = Challenge(LABELS, clock, Random(seed))
        asked = []
        for _ in range(4 * len(LABELS)):
            asked.append(game.wanted)
            game.skip(None)
        assert Counter(asked) == dict.fromkeys(LABELS, 4)
        assert all(label != following for label, following in pairwise(asked))


def test_hardest_labels_were_skipped_or_took_longest(game: Challenge, clock: FakeClock) -> None:
    order = []
    for seconds in (2.0, 9.0, 5.0):
        order.append(game.wanted)
        clock.now += seconds
        if seconds == 2.0:
            game.skip(PNG)
        else:
            game.judge(game.wanted, rejected=False, picture=PNG)
    quick, slow, middle = order
    assert game.hardest(2) == [Difficulty(quick, 1, 2.0), Difficulty(slow, 0, 9.0)]
    assert [each.label for each in game.hardest(9)] == [quick, slow, middle]


def test_skipped_label_without_a_drawing_has_none(game: Challenge) -> None:
    game.skip(None)
    game.skip(PNG)
    game.judge(game.wanted, rejected=False, picture=PNG)
    assert [len(game.drawings(solved=solved)) for solved in (True, False)] == [1, 1]


def card(count: int = 10, subject: str = "ink", *, multi_label: bool = False) -> ModelCard:
    return ModelCard(
        labels=[str(number) for number in range(count)],
        input=ModelInput(geometry=Geometry(subject=subject)),
        output=ModelOutput(multi_label=multi_label),
    )


def test_models_whose_labels_can_be_drawn_one_by_one_are_playable() -> None:
    assert is_playable(card())
    assert is_playable(card(MAX_LABELS))
    assert not is_playable(card(MAX_LABELS + 1))
    assert not is_playable(card(1))
    assert not is_playable(card(subject="object"))
    assert not is_playable(card(multi_label=True))

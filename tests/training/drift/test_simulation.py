"""Windows drawn from recorded answers: what docs/drift.md says is noticed, is; and MNIST in random order never is.

The answers were recorded by ``python -m training.drift --data DIR --record tests/training/drift``.
"""

from pathlib import Path

import numpy as np
import pytest

from models.answers import Answers
from models.card import CARD_FILE, read_card
from models.reference import QUANTITIES
from models.store import CATALOGUE
from tests.support.processes import ROOT
from training.drift import recording
from training.drift.simulation import WINDOW, Binned, consecutive_windows, false_alarms, notice, power

FOLDER = Path(__file__).parent
PAGE = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
MODELS = ["digits", "letters"]
CHANCE = 0.02  # the documented numbers are noticed in 99 % of 400 windows; these are other windows


def documented(model: str) -> dict[str, tuple[int, float | None]]:
    """The changes of a model that docs/drift.md says are noticed: the pictures it takes in a window of nothing else, and the
    share of a window of 1,000, None where these are not enough."""
    lines = PAGE.split(f"| {model} | noticed by |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    noticed = [(name, n.replace(",", ""), share.rstrip("%")) for name, by, n, share, _ in rows if by != "not noticed"]
    return {name: (int(n), None if share == "-" else float(share) / 100) for name, n, share in noticed}


def binned(model: str) -> dict[str, Binned]:
    reference = read_card(CATALOGUE / model / CARD_FILE).reference
    assert reference is not None
    return {name: Binned(answers, reference) for name, answers in recording.load(FOLDER / f"{model}.npz")[0].items()}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> tuple[str, dict[str, Binned]]:
    return request.param, binned(request.param)


def test_recorded_answers_are_those_of_the_reference(model: tuple[str, dict[str, Binned]]) -> None:
    """A model or a preprocessing that changes needs another reference and another recording."""
    usual = model[1][recording.USUAL]
    assert usual.n == usual.reference.n
    for quantity in QUANTITIES:
        bins = len(usual.reference.bins(quantity))
        counts = np.bincount(usual.indices[quantity], minlength=bins)
        assert np.abs(counts - usual.reference.counts(quantity)).sum() <= 0.005 * usual.n, quantity


def test_five_and_more_changes_are_noticed_within_the_documented_number_of_pictures(
    model: tuple[str, dict[str, Binned]],
) -> None:
    name, found = model
    usual, rng = found[recording.USUAL], np.random.default_rng(1)
    changes = documented(name)
    assert len(changes) >= 5
    for change, (pictures, share) in changes.items():
        windows = [(pictures, pictures)] + ([(WINDOW, round(share * WINDOW))] if share is not None else [])
        for n, new in windows:
            assert max(power(usual, found[change], n, new, rng).values()) >= 0.99 - CHANCE, change


def test_the_test_set_in_random_order_gives_no_alarm_in_20_windows(model: tuple[str, dict[str, Binned]]) -> None:
    for seed in range(5):
        psi = consecutive_windows(model[1][recording.USUAL], 20, seed)
        assert psi.shape == (20, len(QUANTITIES)) and psi.max() < 0.2


def test_a_day_in_the_order_of_the_labels_is_noticed(model: tuple[str, dict[str, Binned]]) -> None:
    """The windows that give no alarm in random order do so because of their order."""
    usual = model[1][recording.USUAL]
    usual.indices["label"].sort()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError, match="label is noticed as drift in 20 windows"):
        patch.setattr(np.random, "default_rng", lambda _: InOrder())
        consecutive_windows(usual, 20)


class InOrder:
    """A generator that leaves everything in its place."""

    def permutation(self, n: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.arange(n)


def test_false_alarms_are_counted_once_while_a_window_is_above_the_limit(model: tuple[str, dict[str, Binned]]) -> None:
    usual = model[1][recording.USUAL]
    assert false_alarms(usual, 100, 1) == 0
    # Six labels in each window: above the limit but for the windows without a visitor. A month has 4,320 windows.
    assert 1 <= false_alarms(usual, 1000, 1, per_visitor=1000) <= 10
    assert false_alarms(usual, 100, 1, per_visitor=10, threshold=1.0) < false_alarms(usual, 100, 1, per_visitor=10)


def test_a_change_that_moves_nothing_is_not_noticed(model: tuple[str, dict[str, Binned]]) -> None:
    usual = model[1][recording.USUAL]
    found = notice(usual, usual)
    assert (found.quantities, found.pictures, found.share) == ([], None, None)


def test_recorded_answers_are_read_back(tmp_path: Path) -> None:
    answers = Answers(["b", "a"], np.array([0.25, 1.0]), np.array([True, False]), np.array([0.125, 0.5]))
    recording.save({"one": answers, "two": answers}, {"one": 0.5}, ["a", "b"], tmp_path / "answers.npz")
    found, accuracies = recording.load(tmp_path / "answers.npz")
    assert accuracies == {"one": 0.5}
    assert [*found] == ["one", "two"]
    assert found["two"].labels == ["b", "a"]
    assert found["two"].confidences.tolist() == [0.25, 1.0]
    assert found["two"].rejected.tolist() == [True, False]
    assert found["two"].inks.tolist() == [0.125, 0.5]

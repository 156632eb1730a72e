"""The command that measures sequences, on generated data."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.card import CARD_FILE, SequenceCard, read_card
from tests.support.processes import ROOT
from training import sequences
from training.data.datasets import LabelledImages
from training.evaluation.sequences import SequenceReader
from training.recipes import letters
from training.rendering.strokes import draw


def scans() -> LabelledImages:
    rng = np.random.default_rng(0)
    images = [np.asarray(draw(digit, rng).resize((28, 28))) for digit in range(10) for _ in range(3)]
    return LabelledImages(np.stack(images), np.repeat(np.arange(10), 3))


def source(name: str = "drawn digits", *, redrawn: bool = False) -> sequences.Source:
    return sequences.Source(name, "test", scans(), sequences.DIGITS, redrawn)


def test_metrics_are_by_length_of_all_sources_and_of_each() -> None:
    reader = SequenceReader(ROOT / "models", "numbers")
    measured = sequences.measure_sources(reader, "Digits", [source("a"), source("b", redrawn=True)], (2, 3), 7)
    assert [(one.dataset[:6], one.length, one.n) for one in measured] == [
        ("Digits", 2, 7), ("Digits", 3, 7), ("a", 2, 4), ("a", 3, 4), ("b", 2, 3), ("b", 3, 3)
    ]  # fmt: skip
    assert measured[2].exact_match >= 0.5
    for length in (0, 1):
        whole, first, second = measured[length], measured[2 + length], measured[4 + length]
        assert whole.exact_match * 7 == pytest.approx(first.exact_match * 4 + second.exact_match * 3, abs=0.001)


def test_words_may_leave_letters_out(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "VALIDATION", 1)
    monkeypatch.setattr(letters, "TEST", 2)
    with_all, without = sequences.letter_sources(data)[0], sequences.letter_sources(data, without="IL")[0]
    assert without.name == "EMNIST letters without I and L"
    texts = [{letter for _, text in one.pictures(6, 60, seed=1) for letter in text} for one in (with_all, without)]
    assert texts[0] - texts[1] == {"I", "L"}


def test_pictures_are_the_same_at_every_call() -> None:
    first, second = ([text for _, text in source().pictures(5, 4, seed=1)] for _ in range(2))
    assert first == second
    assert first != [text for _, text in source().pictures(5, 4, seed=2)]


def test_metrics_replace_those_of_the_card(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "models" / "numbers", tmp_path / "numbers")
    reader = SequenceReader(ROOT / "models", "numbers")
    measured = sequences.measure_sources(reader, "Digits", [source()], (2,), 3)
    sequences.write_metrics(tmp_path / "numbers", measured)
    card = read_card(tmp_path / "numbers" / CARD_FILE)
    assert isinstance(card, SequenceCard) and card.metrics == measured


def test_better_figures_of_a_card_are_named() -> None:
    reader = SequenceReader(ROOT / "models", "numbers")
    measured = sequences.measure_sources(reader, "Digits", [source()], (2,), 3)
    lowered = [one.model_copy(update={"exact_match": one.exact_match / 2}) for one in measured]
    assert sequences.overstated(measured, measured) == sequences.overstated(lowered, measured) == []
    assert len(sequences.overstated(measured, lowered)) == len(measured)
    assert "drawn digits, test, 2 characters" in sequences.overstated(measured, lowered)[1]


def test_missing_data_are_named_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sequences.main(["--data", str(tmp_path), "--n", "1"]) == 2
    assert "t10k-images" in capsys.readouterr().err

"""The robustness suite at a reduced n, on digits of a hand that the model was not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preprocessing import stages
from tests.support.processes import ROOT
from training.changes import CHANGES, Change
from training.datasets import Labelled
from training.probe import probe
from training.robustness import Reader, Row, measure, report
from training.several import Share

N = 200
SLOW = {"photo of 12 megapixels": 20}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(ROOT / "models" / "digits")


@pytest.fixture(scope="module")
def digits(reader: Reader) -> Labelled:
    """Drawn digits in the shape of MNIST."""
    hand = np.random.default_rng(5)
    labels = np.tile(np.arange(10, dtype=np.int64), N // 10)
    frames = [np.asarray(stages(probe(int(label), hand), reader.card.input)[-1].image) for label in labels]
    return Labelled(np.stack(frames), labels)


def test_there_are_many_changes_with_distinct_names() -> None:
    assert len(CHANGES) >= 14
    assert len({change.name for change in CHANGES}) == len(CHANGES)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_every_promise_is_kept(reader: Reader, digits: Labelled, change: Change) -> None:
    few = digits.take(np.arange(SLOW.get(change.name, N)))
    clean, (row,) = measure(reader, few, [change], seed=3)
    assert clean >= 0.985
    assert row.kept, row.cells()


def test_a_broken_promise_is_told() -> None:
    change = Change("nothing", lambda digit, _: Image.fromarray(digit), neutral=True)
    assert Row(change, 1.0, 1.0).kept
    assert not Row(change, 0.98, 1.0).kept
    assert not Row(change, 1.0, 0.99).kept


def test_the_page_shows_every_change(reader: Reader, digits: Labelled, tmp_path: Path) -> None:
    change = CHANGES[0]
    clean, rows = measure(reader, digits.take(np.arange(10)), [change])
    shares = [Share("pairs", 200, 199, least=0.97), Share("alone", 200, 2, most=0.003)]
    report(reader, digits, clean, rows, shares, tmp_path)
    page = (tmp_path / "robustness.md").read_text(encoding="utf-8")
    assert f"| {change.name} | " in page
    assert "| pairs | 200 | 99.50% | at least 97% | yes |" in page
    assert "| alone | 200 | 1.00% | at most 0.3% | **no** |" in page
    assert (tmp_path / "images" / "robustness" / "dark-ink-on-light.png").is_file()

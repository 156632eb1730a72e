"""`make evaluate`: test pictures through the running service, judged against the card it serves."""

from pathlib import Path

import numpy as np
import pytest

from models.card import CARD_FILE, ModelCard, read_card, write_card
from tests.support.processes import ROOT

torch = pytest.importorskip("torch")

from training import served  # noqa: E402
from training.frames import Pictures  # noqa: E402
from training.strokes import draw  # noqa: E402

pytestmark = pytest.mark.served

NAME = "drawn digits, test"


class Drawn:
    """Digits that the program draws, in the place of a data set."""

    def __init__(self, data: Path) -> None:
        self.data = data

    @property
    def labels(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def test(self) -> dict[str, Pictures]:
        digits = np.tile(np.arange(10, dtype=np.int64), 5)
        return {NAME: Pictures(draw, digits, digits, 3)}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "EXAMINATIONS", {"digits": Drawn})


def evaluate(address: str, out: Path, *more: str) -> int:
    return served.main(["--data", str(out), "--api_address", address, "--out", str(out), *more])


@pytest.mark.usefixtures("drawn")
def test_a_card_that_says_nothing_of_the_pictures_fails(
    service_address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(service_address, tmp_path) == 1
    printed = capsys.readouterr().out
    assert "n 50" in printed and "precision" in printed and "says nothing" in printed
    assert (tmp_path / "digits.png").is_file() and (tmp_path / "digits-worst.png").is_file()


@pytest.mark.usefixtures("drawn")
def test_what_was_measured_can_be_written_into_the_card(service_address: str, tmp_path: Path) -> None:
    card = read_card(ROOT / "models" / "digits" / CARD_FILE)
    (tmp_path / "digits").mkdir()
    write_card(card, tmp_path / "digits" / CARD_FILE)
    assert evaluate(service_address, tmp_path, "--write", str(tmp_path)) == 0
    written = read_card(tmp_path / "digits" / CARD_FILE)
    assert isinstance(written, ModelCard) and isinstance(card, ModelCard)
    assert written.metrics[1:] == card.metrics and written.sha256 == card.sha256
    first = written.metrics[0]
    assert (first.dataset, first.split, first.n) == ("drawn digits", "test", 50) and first.accuracy >= 0.9


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("better", "status"), [(1.0, 1), (0.0, 0)])
def test_a_card_that_claims_more_than_is_measured_fails(
    service_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: float, status: int
) -> None:
    service = served.Service.at(service_address)
    found, _ = served.examine(service, "digits", Drawn(tmp_path), tmp_path)
    claim = found[0].model_copy(update={"accuracy": found[0].accuracy - 0.002 + 0.2 * better})
    monkeypatch.setattr(served.Service, "metrics", lambda _self, _model: [claim])
    assert evaluate(service_address, tmp_path) == status


def test_no_service_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("http://127.0.0.1:9", tmp_path) == 2
    assert "Is the service running?" in capsys.readouterr().err

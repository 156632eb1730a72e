"""`make evaluate`: test images are sent to the running service, and compared with the card it serves."""

from pathlib import Path

import numpy as np
import pytest

from models.card import CARD_FILE, ModelCard, read_card, write_card
from tests.support.processes import ROOT

torch = pytest.importorskip("torch")

from training import served  # noqa: E402
from training.data.image_sets import ImageSet  # noqa: E402
from training.rendering.strokes import draw  # noqa: E402

pytestmark = pytest.mark.served

NAME = "drawn digits, test"


class GeneratedDigits:
    """Generated digits instead of a data set."""

    def __init__(self, data: Path) -> None:
        self.data = data

    @property
    def labels(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def test(self) -> dict[str, ImageSet]:
        digits = np.tile(np.arange(10, dtype=np.int64), 5)
        return {NAME: ImageSet(draw, digits, digits, 3)}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "EVALUATION_DATA", {"digits": GeneratedDigits})


def evaluate(address: str, out: Path, *more: str) -> int:
    return served.main(["--data", str(out), "--api_address", address, "--out", str(out), *more])


@pytest.mark.usefixtures("drawn")
def test_card_without_metrics_of_the_test_set_fails(
    service_address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(service_address, tmp_path) == 1
    printed = capsys.readouterr().out
    assert "n 50" in printed and "precision" in printed and "has no metrics" in printed
    assert (tmp_path / "digits.png").is_file() and (tmp_path / "digits-worst.png").is_file()


@pytest.mark.usefixtures("drawn")
def test_measured_metrics_are_written_into_the_card(service_address: str, tmp_path: Path) -> None:
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
def test_card_with_better_figures_than_measured_fails(
    service_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: float, status: int
) -> None:
    service = served.Service.at(service_address)
    found = served.evaluate_model(service, "digits", GeneratedDigits(tmp_path), tmp_path).metrics[0]
    claim = found.model_copy(update={"accuracy": found.accuracy - 0.002 + 0.2 * better})
    monkeypatch.setattr(served.Service, "metrics", lambda _self, _model: [claim])
    assert evaluate(service_address, tmp_path) == status


def test_unreachable_service_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("http://127.0.0.1:9", tmp_path) == 2
    assert "Is the service running?" in capsys.readouterr().err

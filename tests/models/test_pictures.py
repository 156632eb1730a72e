"""What a model is worth on pictures of one's own."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image, ImageDraw

from models.__main__ import main
from models.card import CARD_FILE, CardError, ModelCard, read_card
from models.pictures import worth
from preprocessing import Geometry, InputSpec, Normalisation
from tests.models.graphs import model, node
from tests.models.test_imports import catalogue

__all__ = ["catalogue"]

SIDE = 16
SPEC = InputSpec(
    size=SIDE,
    channels=1,
    geometry=Geometry(fit_box=12, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
LABELS = ["upright", "lying"]


def draw(path: Path, box: tuple[int, int, int, int]) -> None:
    """Black ink on white, a bar from corner to corner."""
    image = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(image).rectangle(box, fill=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """15 upright and 15 lying bars; of each kind the last two are in the wrong folder."""
    folder = tmp_path / "bars"
    for number in range(15):
        swapped = number >= 13
        at = 5 + number
        draw(folder / LABELS[swapped] / f"{number}.png", (at, 8, at + 6, 56))
        draw(folder / LABELS[not swapped] / f"{number}-lying.webp", (8, at, 56, at + 6))
    return folder


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """A model that tells upright bars from lying ones by the ink in the middle column and row."""
    weights = np.zeros((SIDE, SIDE, 2), dtype=np.float32)
    weights[:, 7:9, 0] = weights[7:9, :, 1] = 1
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "y")]
    graph = model(nodes, {"w": weights.reshape(-1, 2)}, shape=("N", 1, SIDE, SIDE), answer=("N", 2))
    onnx.save(graph, tmp_path / "bars.onnx")
    return tmp_path / "bars.onnx"


def test_one_half_calibrates_and_the_other_is_measured(bars: Path, pictures: Path) -> None:
    found = worth(bars, SPEC, LABELS, pictures)
    assert found.metrics.n + 16 == 30
    assert {label: one.n for label, one in found.metrics.per_class.items()} == {"upright": 7, "lying": 7}
    right = sum(one.n * one.recall for one in found.metrics.per_class.values())
    assert found.metrics.accuracy == pytest.approx(right / 14, abs=1e-4)
    assert found.metrics.accuracy < 1
    assert found.calibration.temperature > 1
    assert 0.5 <= found.rejection.threshold < 1
    assert "bars" in found.metrics.dataset


def test_names_do_not_matter(bars: Path, pictures: Path) -> None:
    before = worth(bars, SPEC, LABELS, pictures)
    for number, path in enumerate(sorted((pictures / "upright").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed-{number}{path.suffix}"))
    assert worth(bars, SPEC, LABELS, pictures) == before


def test_the_same_picture_counts_once(bars: Path, pictures: Path) -> None:
    before = worth(bars, SPEC, LABELS, pictures)
    (pictures / "lying" / "again.webp").write_bytes((pictures / "lying" / "3-lying.webp").read_bytes())
    assert worth(bars, SPEC, LABELS, pictures) == before


def test_without_an_error_the_temperature_stays_one(bars: Path, pictures: Path) -> None:
    for label in LABELS:
        for number in (13, 14):
            for path in (pictures / label).glob(f"{number}*"):
                path.unlink()
    found = worth(bars, SPEC, LABELS, pictures)
    assert (found.metrics.accuracy, found.calibration.temperature) == (1, 1)
    assert any("it stays 1" in remark for remark in found.remarks)


def test_pictures_that_cannot_be_read_are_told_and_not_counted(bars: Path, pictures: Path) -> None:
    (pictures / "lying" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("L", (64, 64), 255).save(pictures / "lying" / "blank.jpg")
    (pictures / "lying" / "notes.txt").write_text("no picture")
    found = worth(bars, SPEC, LABELS, pictures)
    assert found.metrics.n == 14
    assert any(remark.startswith("2 pictures cannot be read and do not count, such as lying/b") for remark in found.remarks)


def test_folders_that_are_no_labels_are_refused(bars: Path, pictures: Path) -> None:
    (pictures / "slanted").mkdir()
    with pytest.raises(CardError, match="the folders slanted, which are no labels"):
        worth(bars, SPEC, LABELS, pictures)


def test_one_picture_under_two_labels_is_refused(bars: Path, pictures: Path) -> None:
    (pictures / "upright" / "twin.webp").write_bytes((pictures / "lying" / "3-lying.webp").read_bytes())
    with pytest.raises(CardError, match=r"upright/twin\.webp and lying/3-lying\.webp are the same picture"):
        worth(bars, SPEC, LABELS, pictures)


def test_few_pictures_are_refused(bars: Path, pictures: Path) -> None:
    for path in list((pictures / "upright").iterdir())[2:]:
        path.unlink()
    with pytest.raises(CardError, match="holds 17 pictures that can be read; at least 20"):
        worth(bars, SPEC, LABELS, pictures)


def test_the_command_writes_what_was_measured(
    catalogue: Path, bars: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--name", "bars", "--labels", ",".join(LABELS), "--fit-box", "12", "--centring", "box"]
    assert main(["import", str(bars), *options, "--pictures", str(pictures)]) == 0
    card = read_card(catalogue / "bars" / CARD_FILE)
    assert isinstance(card, ModelCard)
    found = worth(bars, SPEC, LABELS, pictures)
    assert (card.metrics, card.calibration, card.rejection) == ([found.metrics], found.calibration, found.rejection)
    assert f"{found.metrics.accuracy:.2%} of 14 pictures right" in capsys.readouterr().out

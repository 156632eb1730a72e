"""Calibration and evaluation on a folder of labelled pictures."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image, ImageDraw

import models.evaluation as evaluation_module
from models.__main__ import main
from models.card import CARD_FILE, CardError, ModelCard, read_card
from models.evaluation import Evaluation
from models.evaluation import evaluate as evaluate_pictures
from models.pictures import unseen_pictures
from preprocessing import Geometry, InputSpec
from tests.models.catalogues import add_model
from tests.models.graphs import model, node

SIDE = 16
LABELS = ["upright", "lying"]


def evaluate(model: Path, card: ModelCard, folder: Path) -> Evaluation:
    return evaluate_pictures(model, card, unseen_pictures(folder, card.labels))


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


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    """The card of the model of bars, as far as an evaluation needs it."""
    geometry = Geometry(fit_box=12, centring="box", polarity="light_on_dark")
    made = add_model(tmp_path / "catalogue", "bars", LABELS)
    return made.model_copy(update={"input": InputSpec(height=SIDE, width=SIDE, geometry=geometry)})


def test_one_half_calibrates_and_the_other_is_evaluated(bars: Path, card: ModelCard, pictures: Path) -> None:
    evaluation = evaluate(bars, card, pictures)
    assert evaluation.metrics.n == 15
    assert {label: one.n for label, one in evaluation.metrics.per_class.items()} == {"upright": 7, "lying": 8}
    right = sum(one.n * one.recall for one in evaluation.metrics.per_class.values())
    assert evaluation.metrics.accuracy == pytest.approx(right / 15, abs=1e-4)
    assert evaluation.metrics.accuracy < 1
    assert evaluation.calibration.temperature > 1
    assert 0.5 <= evaluation.rejection.threshold < 1
    assert "bars" in evaluation.metrics.dataset


def test_few_pictures_give_no_reference(bars: Path, card: ModelCard, pictures: Path) -> None:
    found = evaluate(bars, card, pictures)
    assert found.reference is None
    assert any("has no reference to notice drift with: it takes 200 pictures, and these are 30" in one for one in found.remarks)


def test_enough_pictures_give_a_reference_of_their_answers(
    bars: Path, card: ModelCard, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_module, "MIN_PICTURES", 30)
    evaluation = evaluate(bars, card, pictures)
    found = evaluation.reference
    assert found is not None
    assert (found.n, found.dataset) == (30, evaluation.metrics.dataset)
    assert found.label == {"lying": 15, "upright": 15} and found.rejected < 10
    assert 0.09 < found.ink.edges[0] < found.ink.edges[-1] < 0.1  # a bar of 12x2 of 16x16 pixels


def test_file_names_do_not_matter(bars: Path, card: ModelCard, pictures: Path) -> None:
    before = evaluate(bars, card, pictures)
    for number, path in enumerate(sorted((pictures / "upright").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed-{number}{path.suffix}"))
    assert evaluate(bars, card, pictures) == before


def test_duplicate_picture_counts_once(bars: Path, card: ModelCard, pictures: Path) -> None:
    before = evaluate(bars, card, pictures)
    (pictures / "lying" / "again.webp").write_bytes((pictures / "lying" / "3-lying.webp").read_bytes())
    assert evaluate(bars, card, pictures) == before


def test_without_an_error_the_temperature_stays_one(bars: Path, card: ModelCard, pictures: Path) -> None:
    for label in LABELS:
        for number in (13, 14):
            for path in (pictures / label).glob(f"{number}*"):
                path.unlink()
    evaluation = evaluate(bars, card, pictures)
    assert (evaluation.metrics.accuracy, evaluation.calibration.temperature) == (1, 1)
    assert any("stays 1" in remark for remark in evaluation.remarks)


def test_pictures_in_which_nothing_is_found_are_reported_and_left_out(bars: Path, card: ModelCard, pictures: Path) -> None:
    Image.new("L", (64, 64), 255).save(pictures / "lying" / "blank.jpg")
    evaluation = evaluate(bars, card, pictures)
    assert evaluation.metrics.n in (15, 16)
    assert any(remark.startswith("1 pictures show nothing and are left out, such as lying/b") for remark in evaluation.remarks)


def test_folders_that_are_not_labels_are_rejected(bars: Path, card: ModelCard, pictures: Path) -> None:
    (pictures / "slanted").mkdir()
    with pytest.raises(CardError, match="the folders slanted, which are not labels"):
        evaluate(bars, card, pictures)


def test_picture_under_two_labels_is_rejected(bars: Path, card: ModelCard, pictures: Path) -> None:
    (pictures / "upright" / "twin.webp").write_bytes((pictures / "lying" / "3-lying.webp").read_bytes())
    with pytest.raises(CardError, match=r"lying/3-lying\.webp and upright/twin\.webp are the same picture"):
        evaluate(bars, card, pictures)


def test_too_few_pictures_are_rejected(bars: Path, card: ModelCard, pictures: Path) -> None:
    for path in list((pictures / "upright").iterdir())[2:]:
        path.unlink()
    with pytest.raises(CardError, match="holds 17 pictures that can be used; at least 20"):
        evaluate(bars, card, pictures)


def test_import_command_writes_the_evaluation_to_the_card(
    catalogue: Path, bars: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--name", "bars", "--labels", ",".join(LABELS), "--fit-box", "12", "--centring", "box"]
    assert main(["import", str(bars), *options, "--pictures", str(pictures)]) == 0
    card = read_card(catalogue / "bars" / CARD_FILE)
    assert isinstance(card, ModelCard)
    evaluation = evaluate(bars, card, pictures)
    assert (card.metrics, card.calibration, card.rejection) == (
        [evaluation.metrics],
        evaluation.calibration,
        evaluation.rejection,
    )
    assert f"accuracy {evaluation.metrics.accuracy:.2%} on 15 pictures" in capsys.readouterr().out


def test_folders_are_the_labels_where_nothing_names_them(catalogue: Path, bars: Path, pictures: Path) -> None:
    assert main(["import", str(bars), "--name", "bars", "--pictures", str(pictures)]) == 0
    card = read_card(catalogue / "bars" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.labels == ["lying", "upright"]
    assert "the labels are the folders of pictures, in alphabetical order (--labels)" in card.remarks

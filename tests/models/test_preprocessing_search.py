"""Finding the preprocessing of a model from labelled pictures."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from models.__main__ import main
from models.card import CARD_FILE, ModelCard, read_card
from models.preprocessing_candidates import candidates
from preprocessing import InputSpec, PhotoGeometry
from tests.models.catalogues import add_model
from tests.models.graphs import model, node

LABELS = ["bright", "dark"]
SIDE = 8


@pytest.fixture
def brightness(tmp_path: Path) -> Path:
    """A model that takes pixels of 0 to 255, and compares their mean with 127."""
    nodes = [
        node("Flatten", "x", "f"),
        node("MatMul", "f w", "s"),
        node("Add", "s b", "y"),
    ]
    weights = np.full((3 * SIDE * SIDE, 2), [0.05, -0.05]) / (3 * SIDE * SIDE)
    constants = {"w": weights.astype(np.float32), "b": np.array([-127 * 0.05, 127 * 0.05], np.float32)}
    onnx.save(model(nodes, constants, shape=("N", 3, SIDE, SIDE), answer=("N", 2)), tmp_path / "brightness.onnx")
    return tmp_path / "brightness.onnx"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """30 pictures, half of them bright, as BMP and PNG, divided into train/ and test/."""
    for number in range(15):
        for label, level in (("bright", 140 + 6 * number), ("dark", 110 - 6 * number)):
            folder = tmp_path / "pictures" / ("train" if number % 3 else "test") / label
            folder.mkdir(parents=True, exist_ok=True)
            image = Image.new("RGB", (10 + number, 12), (level, level, max(0, level - number)))
            image.save(folder / f"{number}.{'bmp' if number % 2 else 'png'}")
    return tmp_path / "pictures"


def test_scale_is_found_and_reported(
    catalogue: Path, brightness: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(brightness), "--name", "light", "--labels", "bright,dark", "--pictures", str(pictures)]) == 0
    card = read_card(catalogue / "light" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.input.normalisation.scale == 255
    assert card.metrics[0].accuracy == 1
    printed = capsys.readouterr().out
    assert "preprocessing found with 15 pictures: " in printed
    assert "--scale 255" in printed
    assert "100.0% of 15 others are right" in printed
    assert printed.count("next best: ") == 3
    assert card.remarks[0].startswith("preprocessing found")


def test_what_is_given_is_not_varied(catalogue: Path, brightness: Path, pictures: Path) -> None:
    options = ["--name", "light", "--labels", "bright,dark", "--scale", "1", "--pictures", str(pictures)]
    assert main(["import", str(brightness), *options]) == 0
    card = read_card(catalogue / "light" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.input.normalisation.scale == 1


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    return add_model(tmp_path / "cards", "some", LABELS)


def test_candidates_begin_with_the_card_and_are_distinct(card: ModelCard) -> None:
    found = list(candidates(card, {}))
    assert found[0] == card.input
    assert len(found) == len(set(found)) > 50
    assert {spec.geometry.subject for spec in found} == {"ink", "object", "photo"}
    assert {spec.transposed for spec in found} == {True, False}


def test_candidates_of_colour_are_photos_in_both_orders(card: ModelCard) -> None:
    spec = InputSpec(height=SIDE, width=SIDE, colour="RGB", geometry=PhotoGeometry())
    found = list(candidates(card.model_copy(update={"input": spec}), {}))
    assert {spec.colour for spec in found} == {"RGB", "BGR"}
    assert {spec.geometry.subject for spec in found} == {"photo"}


def test_candidates_agree_with_what_is_given(card: ModelCard) -> None:
    given = {"input": {"geometry": {"subject": "photo", "fit": "pad"}, "normalisation": {"scale": 1, "mean": 0, "std": 1}}}
    spec = card.input.model_copy(update={"geometry": PhotoGeometry(fit="pad", filter="area")})
    found = list(candidates(card.model_copy(update={"input": spec}), given))
    assert {(one.geometry.subject, one.normalisation.scale) for one in found} == {("photo", 1)}
    assert all(isinstance(one.geometry, PhotoGeometry) and one.geometry.fit == "pad" for one in found)

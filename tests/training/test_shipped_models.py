"""The shipped models: their cards, their files, and their answers to simple images."""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.card import CARD_FILE, MODEL_FILE, ModelCard, SequenceCard, read_card
from models.store import card_folders
from preprocessing import preprocess

FOLDERS = {folder.name: folder for folder in card_folders()}
SINGLE = {name: folder for name, folder in FOLDERS.items() if not isinstance(read_card(folder / CARD_FILE), SequenceCard)}
LEAST_ACCURACY = {"digits": 0.995, "letters": 0.945, "category": 0.92, "characters": 0.9, "fashion": 0.944}
MOST_BYTES = 5_000_000
MOST_ECE = 0.015
FEWEST_PICTURES = 8000


def classify(name: str, image: Image.Image) -> str:
    """Classify an image with a model of the catalogue."""
    card, session = model(name)
    (logits,) = session.run(None, {"input": preprocess(image, card.input)[None]})
    return card.labels[int(np.asarray(logits).argmax())]


@cache
def model(name: str) -> tuple[ModelCard, ort.InferenceSession]:
    card = read_card(FOLDERS[name] / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card, ort.InferenceSession(FOLDERS[name] / MODEL_FILE, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("folder", SINGLE.values(), ids=SINGLE)
def test_card_has_sample_size_calibration_error_and_every_class_of_its_test_set(folder: Path) -> None:
    card = read_card(folder / CARD_FILE)
    assert not isinstance(card, SequenceCard)
    first = card.metrics[0]
    assert "test" in first.split
    assert first.n >= FEWEST_PICTURES and first.ece <= MOST_ECE
    assert set(first.per_class) == set(card.labels)
    assert sum(one.n for one in first.per_class.values()) == first.n
    assert first.accuracy >= LEAST_ACCURACY.get(folder.name, 0.85)


@pytest.mark.parametrize("name", [name for name, folder in FOLDERS.items() if (folder / MODEL_FILE).is_file()])
def test_file_is_small_and_has_its_training_report(name: str) -> None:
    assert (FOLDERS[name] / MODEL_FILE).stat().st_size <= MOST_BYTES
    assert (FOLDERS[name] / "training.json").is_file() and (FOLDERS[name] / "training.png").is_file()


def printed(character: str, side: int = 120) -> Image.Image:
    canvas = Image.new("L", (side * 2, side * 2), 255)
    ImageDraw.Draw(canvas).text((side, side), character, fill=0, font=ImageFont.load_default(side), anchor="mm")
    return canvas


def test_letters_classifies_printed_letters() -> None:
    right = [classify("letters", printed(letter)) == letter for letter in map(chr, range(ord("A"), ord("Z") + 1))]
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize(("character", "category"), [("3", "digit"), ("7", "digit"), ("A", "letter"), ("K", "letter")])
def test_category_classifies_printed_digits_and_letters(character: str, category: str) -> None:
    assert classify("category", printed(character)) == category


def test_category_classifies_a_house_as_drawing() -> None:
    canvas = Image.new("L", (200, 200), 255)
    draw = ImageDraw.Draw(canvas)
    draw.line([(40, 180), (40, 90), (100, 30), (160, 90), (160, 180), (40, 180)], fill=0, width=7)
    draw.rectangle((85, 120, 115, 180), outline=0, width=7)
    draw.rectangle((55, 100, 75, 120), outline=0, width=5)
    assert classify("category", canvas) == "drawing"


TROUSERS = [(70, 20), (130, 20), (140, 180), (108, 180), (100, 70), (92, 180), (60, 180)]
DRESS = [(75, 15), (125, 15), (120, 70), (150, 185), (50, 185), (80, 70)]
PULLOVER = [(70, 30), (130, 30), (180, 60), (186, 170), (160, 170), (152, 90), (150, 175), (50, 175), (48, 90), (40, 170),
            (14, 170), (20, 60)]  # fmt: skip


@pytest.mark.parametrize("levels", [(245, 60), (20, 190)], ids=["light levels", "dark levels"])
@pytest.mark.parametrize(
    ("outline", "labels"),
    [
        (TROUSERS, {"Trouser"}),
        (DRESS, {"Dress"}),
        (PULLOVER, {"Pullover", "Coat", "Shirt"}),
    ],
    ids=["trousers", "dress", "pullover"],
)
def test_fashion_classifies_outlines_of_garments(
    outline: list[tuple[int, int]], labels: set[str], levels: tuple[int, int]
) -> None:
    photo = Image.new("RGB", (200, 200), (levels[0],) * 3)
    ImageDraw.Draw(photo).polygon(outline, fill=(levels[1],) * 3)
    assert classify("fashion", photo) in labels

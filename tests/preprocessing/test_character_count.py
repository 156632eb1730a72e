"""Counting separate characters: several strokes of one, and several characters."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from preprocessing import MAX_CHARACTERS, decode, model_input, preprocess
from tests.preprocessing.specs import MNIST
from tests.support.pictures import BLACK, CLEAR, STROKES, WHITE, Colour, Point, canvas, several
from tests.support.processes import ROOT

OBJECT = MNIST.model_copy(update={"geometry": MNIST.geometry.model_copy(update={"subject": "object"})})
SAMPLES = sorted((ROOT / "loadtests" / "samples").glob("*.png"))

Strokes = list[list[Point]]


def ring(x: float, y: float, radius: float) -> list[Point]:
    return [(x + radius * np.cos(turn), y + radius * np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 40)]


def counted(image: Image.Image) -> int:
    return model_input(image, MNIST).characters


ONE: dict[str, Strokes] = {
    "1": STROKES["1"],
    "4": STROKES["4"],
    "4 with a gap": [[(110, 60), (80, 150), (140, 150)], [(175, 55), (165, 235)]],
    "5 with its bar apart": [[(110, 80), (105, 130), (160, 135), (170, 190), (100, 220)], [(130, 58), (200, 50)]],
    "8 of two rings": [ring(140, 95, 40), ring(140, 195, 45)],
    "crossed 7": [*STROKES["7"], [(110, 145), (200, 145)]],
    "7 with its dash apart": [*STROKES["7"], [(80, 140), (125, 140)]],
    "i": [[(140, 120), (140, 230)], [(140, 60), (140, 66)]],
    "j": [[(160, 110), (160, 210), (140, 240), (110, 230)], [(160, 50), (160, 56)]],
    "K in two strokes": [[(90, 50), (90, 230)], [(200, 60), (112, 140), (200, 230)]],
    "H in three strokes": [[(80, 50), (80, 230)], [(105, 140), (175, 140)], [(200, 50), (200, 230)]],
    "E with its bars apart": [
        [(80, 50), (80, 230)],
        [(110, 50), (200, 50)],
        [(110, 140), (200, 140)],
        [(110, 230), (200, 230)],
    ],
    "an equals sign": [[(80, 110), (200, 110)], [(80, 170), (200, 170)]],
    "a colon": [[(140, 80), (140, 81)], [(140, 200), (140, 201)]],
    "a Korean h": [[(120, 45), (160, 45)], [(80, 85), (200, 85)], ring(140, 170, 45)],
    "an umlaut": [ring(140, 170, 55), [(115, 70), (115, 71)], [(165, 70), (165, 71)]],
    "U": [[(80, 60), (80, 180), (110, 225), (170, 225), (200, 180), (200, 60)]],
    "N": [[(80, 230), (80, 60), (200, 230), (200, 60)]],
    "0": [ring(140, 140, 80)],
}


@pytest.mark.parametrize("side", [28, 280, 1200])
@pytest.mark.parametrize("name", ONE)
def test_character_of_several_strokes_counts_as_one(name: str, side: int) -> None:
    image = canvas(ONE[name], ink=BLACK, paper=WHITE, width=16)
    assert counted(image.convert("L").resize((side, side), Image.Resampling.BOX)) == 1


@pytest.mark.parametrize("name", STROKES)
def test_digit_of_sixteen_pixels_counts_as_one(name: str) -> None:
    assert counted(canvas(STROKES[name], ink=BLACK, paper=WHITE).convert("L").resize((16, 16), Image.Resampling.BOX)) == 1


@pytest.mark.parametrize(("ink", "paper"), [(BLACK, CLEAR), (WHITE, CLEAR), (BLACK, WHITE), (WHITE, BLACK)])
@pytest.mark.parametrize("gap", [16, 40, 120])
@pytest.mark.parametrize("names", ["11", "17", "71", "47", "77", "147"])
def test_digits_side_by_side_are_counted(names: str, gap: float, ink: Colour, paper: Colour) -> None:
    assert counted(several(names, gap=gap, ink=ink, paper=paper)) == len(names)


@pytest.mark.parametrize("side", [28, 64, 280, 2000])
def test_count_does_not_depend_on_image_size(side: int) -> None:
    page = several("47", gap=50, ink=BLACK, paper=WHITE).convert("L")
    assert counted(page.resize((side, side), Image.Resampling.BOX)) == 2


@pytest.mark.parametrize("width", [5, 16, 30])
def test_count_does_not_depend_on_stroke_width(width: int) -> None:
    assert counted(several("17", gap=60, ink=BLACK, paper=WHITE, width=width)) == 2


def test_two_lines_count_as_two() -> None:
    second = [[(x, y + 230) for x, y in stroke] for stroke in STROKES["7"]]
    assert counted(canvas([*STROKES["4"], *second], side=520)) == 2


@pytest.mark.parametrize("lean", [40, 90])
def test_slanted_neighbours_with_overlapping_columns_count_as_two(lean: float) -> None:
    strokes: Strokes = [[(60 + lean, 50), (60, 230)], [(125 + lean, 50), (125, 230)]]
    assert counted(canvas(strokes, width=12)) == 2


def test_character_outside_of_the_crop_is_counted() -> None:
    assert counted(several("17", gap=300)) == 2


@pytest.mark.parametrize("change", ["noise", "shade", "JPEG"])
def test_characters_in_a_photo_are_counted(change: str) -> None:
    hand = np.random.default_rng(1)
    levels = np.asarray(several("47", gap=50, ink=BLACK, paper=WHITE).convert("L"), dtype=np.float64) * 0.8 + 20
    if change == "noise":
        levels += hand.normal(0, 12, levels.shape)
    elif change == "shade":
        levels *= np.linspace(1, 0.5, levels.shape[1])
    image = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    if change == "JPEG":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=30)
        image = decode(buffer.getvalue())
    assert counted(image) == 2


def test_page_of_numbers_is_counted_up_to_the_limit() -> None:
    page = Image.new("L", (600, 600), 255)
    draw = ImageDraw.Draw(page)
    for x in range(40, 560, 40):
        for y in range(40, 560, 60):
            draw.line([(x, y), (x + 18, y), (x + 6, y + 36)], fill=0, width=4)
    assert counted(page) == MAX_CHARACTERS


def test_specks_and_underlines_are_not_counted() -> None:
    image = canvas([*STROKES["7"], [(40, 258), (240, 262)]], ink=BLACK, paper=WHITE)
    draw = ImageDraw.Draw(image)
    for x, y in [(30, 40), (250, 90), (20, 200)]:
        draw.ellipse((x, y, x + 5, y + 5), fill=BLACK)
    assert counted(image) == 1


@pytest.mark.parametrize("deep", [4, 19])
@pytest.mark.parametrize("turns", range(4))
def test_dark_edge_is_not_counted(turns: int, deep: int) -> None:
    page = canvas(STROKES["7"], ink=BLACK, paper=WHITE).convert("L")
    page.paste(40, (0, 0, 280, deep))
    turned = page.rotate(90 * turns)
    assert counted(turned) == 1


def test_object_counts_as_one() -> None:
    assert model_input(several("17", gap=60, ink=BLACK, paper=WHITE), OBJECT).characters == 1


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_load_test_samples_count_as_one(path: Path) -> None:
    assert counted(decode(path.read_bytes())) == 1


def test_model_input_has_the_tensor_of_preprocess() -> None:
    for image in (canvas(STROKES["4"]), several("17", gap=60)):
        np.testing.assert_array_equal(model_input(image, MNIST).tensor, preprocess(image, MNIST))

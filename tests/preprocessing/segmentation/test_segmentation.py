"""Pictures to lines and candidates: properties of any picture, and what must and must not become a character."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from preprocessing import (
    CharacterCandidate,
    ImageError,
    NoInk,
    Segmentation,
    TooManyCharacters,
    frame_ink,
    model_input,
    segment,
    tensor,
)
from preprocessing.pixels import Grey
from tests.preprocessing.specs import MNIST
from tests.support.pictures import BLACK, STROKES, WHITE, Point, canvas, digit
from tests.support.processes import ROOT
from tests.support.sequences import sheet

SAMPLES = sorted((ROOT / "loadtests" / "samples").glob("*.png"))
MAX = 64
DRAWINGS = st.lists(
    st.lists(st.tuples(st.integers(-20, 420), st.integers(-20, 220)), min_size=1, max_size=6), min_size=1, max_size=12
)


def strokes(lines: Sequence[Sequence[Point]], width: int = 8, size: tuple[int, int] = (400, 200)) -> Image.Image:
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for line in lines:
        draw.line([*line, line[-1]], fill=0, width=width, joint="curve")
        for x, y in (line[0], line[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
    return image


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    row = Image.new("RGB", (sum(one.width for one in pictures), pictures[0].height), "white")
    left = 0
    for one in pictures:
        row.paste(one, (left, 0))
        left += one.width
    return row


def singles(found: Segmentation) -> list[CharacterCandidate]:
    return [one for one in found.candidates if one.last - one.first == 1]


def check(found: Segmentation, size: tuple[int, int]) -> None:
    """A segmentation can be read: boxes in the picture, ink in crops, and every piece reached and left."""
    assert found.pieces and min(found.pieces) >= 1 and sum(found.pieces) <= MAX
    for one in found.candidates:
        left, top, right, bottom = one.box
        assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
        assert 0 <= one.first < one.last <= found.pieces[one.line]
        assert one.prior <= 0
        assert one.crop.mode == "L" and one.crop.getbbox()
    for line, pieces in enumerate(found.pieces):
        reached = {0}
        for one in sorted((one for one in found.candidates if one.line == line), key=lambda one: one.first):
            if one.first in reached:
                reached.add(one.last)
        assert pieces in reached
    places = [(one.line, one.first, one.last) for one in found.candidates]
    assert places == sorted(places) and len(places) == len(set(places))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DRAWINGS, st.integers(1, 40), st.sampled_from([(400, 200), (90, 200), (400, 30), (1300, 700)]))
def test_any_drawing_is_segmented_or_refused(lines: list[list[tuple[int, int]]], width: int, size: tuple[int, int]) -> None:
    image = strokes(lines, width, size)
    try:
        found = segment(image, MAX)
    except ImageError:
        return
    check(found, image.size)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))))
def test_any_pixels_are_segmented_or_refused(pixels: Grey) -> None:
    try:
        found = segment(Image.fromarray(pixels), MAX)
    except ImageError:
        return
    check(found, (pixels.shape[1], pixels.shape[0]))


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "I;16", "F", "CMYK"])
def test_pictures_of_any_mode_are_segmented(mode: str) -> None:
    image = beside([digit("4", ink=BLACK, paper=WHITE), digit("7", ink=BLACK, paper=WHITE)]).convert("L")
    found = segment(image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode), MAX)
    assert len(singles(found)) >= 2
    check(found, image.size)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_whole_of_one_character_has_the_tensor_of_the_single_character_path(path: object) -> None:
    image = Image.open(str(path))
    found = segment(image, MAX)
    whole = [one for one in found.candidates if (one.first, one.last) == (0, found.pieces[0])]
    assert len(found.pieces) == len(whole) == 1
    expected = model_input(image, MNIST).tensor
    assert (tensor(frame_ink(whole[0].crop, MNIST), MNIST) == expected).all()


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(STROKES)), st.integers(12, 900), st.sampled_from(["L", "RGB", "RGBA"]), st.booleans())
def test_one_drawn_character_has_the_tensor_of_the_single_character_path(name: str, side: int, mode: str, dark: bool) -> None:
    image = digit(name, ink=BLACK if dark else WHITE, paper=WHITE if dark else BLACK).resize((side, side)).convert(mode)
    found = segment(image, MAX)
    if found.pieces == [1]:
        (only,) = found.candidates
        assert only.prior == 0
        assert (tensor(frame_ink(only.crop, MNIST), MNIST) == model_input(image, MNIST).tensor).all()


def rings(count: int) -> Image.Image:
    """Rings side by side that touch, dark on light."""
    image = Image.new("L", (120 + 90 * count, 300), 255)
    for place in range(count):
        ImageDraw.Draw(image).ellipse((60 + 85 * place, 70, 155 + 85 * place, 230), outline=0, width=12)
    return image


def test_ink_alone_that_may_be_one_character_is_cut_without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def extracted(_: object) -> None:
        raise AssertionError("the page was segmented")

    monkeypatch.setattr("preprocessing.segmentation.extract_page", extracted)
    ring = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(ring).ellipse((65, 70, 230, 230), outline=0, width=20)
    assert len(segment(ring, MAX).candidates) == 1
    image = rings(2)
    found = segment(image, MAX)
    assert found.pieces[0] > 1 and len(found.candidates) > 2
    check(found, image.size)
    monkeypatch.undo()
    assert segment(rings(3), MAX).pieces[0] > 2


def test_lines_are_in_reading_order_and_boxes_on_their_characters() -> None:
    image = sheet(["407", "1985", "23"])
    found = segment(image, MAX)
    assert len(found.pieces) == 3
    for one in singles(found):
        assert one.line == (one.box[1] + one.box[3]) // 2 * 3 // image.height
    for line in range(3):
        middles = [one.box[0] + one.box[2] for one in singles(found) if one.line == line]
        assert middles == sorted(middles)


@pytest.mark.parametrize("degrees", [-10, 10])
def test_a_line_that_rises_or_falls_is_one_line(degrees: int) -> None:
    image = sheet(["4719058"]).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert len(segment(image, MAX).pieces) == 1


def test_a_line_that_sags_is_one_line() -> None:
    image = Image.new("L", (900, 500), 255)
    for place in range(7):
        one = digit("4" if place % 2 else "7", ink=BLACK, paper=WHITE).convert("L").resize((100, 100))
        image.paste(one, (40 + 115 * place, 60 + 4 * place * (7 - place)))
    assert len(segment(image, MAX).pieces) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [[(190, 40), (160, 120), (240, 120)], [(225, 60), (225, 170)]],
        [[(170, 60), (165, 100), (210, 105), (215, 150), (165, 160)], [(172, 55), (225, 50)]],
        [[(200, 90), (200, 170)], [(200, 50), (200, 52)]],
    ],
    ids=["4 of two strokes", "5 with its bar", "i with its dot"],
)
def test_strokes_of_one_character_may_be_read_as_one(lines: list[list[Point]]) -> None:
    other = [(60.0, 40.0), (60.0, 170.0)]
    found = segment(strokes([other, *lines]), MAX)
    assert len(found.pieces) == 1
    right = [one for one in found.candidates if one.last == found.pieces[0] and one.box[0] > 100]
    assert max(one.box[2] - one.box[0] for one in right) >= max(x for line in lines for x, _ in line) - min(
        x for line in lines for x, _ in line
    )


def test_characters_that_touch_are_offered_apart_and_together() -> None:
    image = strokes([[(120, 50), (120, 150), (180, 100), (120, 100)], [(180, 100), (240, 50), (240, 150)]])
    found = segment(image, MAX)
    assert found.pieces[0] >= 2
    assert any(one.last - one.first == found.pieces[0] for one in found.candidates)


@pytest.mark.parametrize(
    "mark", [(196, 158, 204, 166), (200, 150, 206, 172), (190, 98, 214, 104)], ids=["point", "comma", "minus"]
)
def test_small_marks_between_characters_are_left_out(mark: tuple[int, int, int, int]) -> None:
    image = strokes([[(100, 40), (100, 165)], [(300, 40), (300, 165)]])
    ImageDraw.Draw(image).rectangle(mark, fill=0)
    found = segment(image, MAX)
    assert [one.box[0] > 200 for one in singles(found)] == [False, True]


def squared(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for place in range(11, max(image.size), 40):
        draw.line((place, 0, place, image.height), fill=215, width=1)
        draw.line((0, place, image.width, place), fill=215, width=1)
    return image


def shaded(image: Image.Image) -> Image.Image:
    light = np.linspace(1, 0.6, image.width)[None] * np.ones((image.height, 1))
    light[:, :6] = 0.1
    noise = np.random.default_rng(0).normal(0, 3, light.shape)
    photo = Image.fromarray((np.asarray(image) * light * 0.9 + noise).clip(0, 255).astype(np.uint8))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=75)
    return Image.open(file).convert("L")


def specks(image: Image.Image) -> Image.Image:
    for x, y in np.random.default_rng(1).integers(5, min(image.size) - 5, (12, 2)).tolist():
        if image.crop((x - 4, y - 4, x + 5, y + 5)).getextrema() == (255, 255):
            image.putpixel((x, y), 60)
    return image


@pytest.mark.parametrize("change", [squared, shaded, specks])
def test_paper_light_and_dirt_are_no_characters(change: object) -> None:
    assert callable(change)
    image = change(sheet(["4719"], height=100))
    found = segment(image, MAX)
    assert len(found.pieces) == 1
    assert {round(one.box[0] / 136) for one in singles(found)} <= set(range(5))
    assert all(one.box[3] - one.box[1] > 40 for one in singles(found) if one.prior == 0)


def test_more_characters_than_the_limit_are_refused_with_the_number() -> None:
    image = sheet(["47190", "12345"])
    with pytest.raises(TooManyCharacters, match=r"about 10 characters; at most 9 are read"):
        segment(image, 9)
    assert sum(segment(image, 10).pieces) == 10


def test_noise_is_refused_before_its_strokes_are_compared() -> None:
    noise = np.random.default_rng(0).random((400, 64)) < 0.5
    with pytest.raises(TooManyCharacters, match=r"separate strokes, more than 64 characters have"):
        segment(Image.fromarray(np.kron(noise[::4, ::2], np.array([[1, 0], [0, 0]])).astype(np.uint8) * 255), 64)


def test_blank_paper_has_no_ink() -> None:
    with pytest.raises(NoInk):
        segment(Image.new("L", (300, 100), 255), MAX)


def test_the_crops_of_neighbours_hold_their_own_ink_alone() -> None:
    image = strokes([[(100, 40), (160, 160)], [(150, 40), (210, 160)]])
    found = segment(image, MAX)
    alone = segment(strokes([[(100, 40), (160, 160)]]), MAX)
    apart = [np.asarray(one.crop.resize((30, 60))).astype(float) for one in singles(found)]
    assert len(apart) == 2
    expected = np.asarray(alone.candidates[0].crop.resize((30, 60))).astype(float)
    assert all(np.abs(one - expected).mean() < 12 for one in apart)


def test_a_canvas_drawing_and_its_enlargement_have_the_same_pieces() -> None:
    image = canvas([[(60, 60), (60, 220)], [(200, 60), (200, 220)]], ink=BLACK, paper=WHITE, width=14)
    assert segment(image, MAX).pieces == segment(image.resize((1400, 1400)), MAX).pieces == [2]

"""Whole pictures: fitted to the frame, in colour or grey, as Pillow does it by hand."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocessing import Colour, InputSpec, PhotoGeometry, decode, preprocess, stages
from preprocessing.photo import frame_photo
from tests.models.forms import picture, png

BILINEAR = Image.Resampling.BILINEAR


def spec(height: int = 8, width: int = 8, colour: Colour = "RGB", **geometry: object) -> InputSpec:
    return InputSpec(height=height, width=width, colour=colour, geometry=PhotoGeometry.model_validate(geometry))


def same(frame: Image.Image, expected: Image.Image) -> bool:
    return frame.mode == expected.mode and frame.size == expected.size and frame.tobytes() == expected.tobytes()


def test_picture_of_the_right_size_is_unchanged() -> None:
    assert same(frame_photo(picture(), spec(44, 60)), picture())


def test_stretch_uses_the_whole_picture() -> None:
    assert same(frame_photo(picture(), spec(10, 12)), picture().resize((12, 10), BILINEAR))


def test_crop_scales_the_shorter_side_and_cuts_the_middle() -> None:
    expected = picture().resize((54, 40), BILINEAR).crop((11, 4, 43, 36))
    assert same(frame_photo(picture(), spec(32, 32, fit="crop", shorter_side=40)), expected)


def test_crop_of_a_very_long_picture_stays_small() -> None:
    line = Image.new("RGB", (8000, 1), (1, 2, 3))
    assert same(frame_photo(line, spec(224, 224, fit="crop")), Image.new("RGB", (224, 224), (1, 2, 3)))


def test_pad_keeps_the_aspect_ratio_between_bands_of_a_level() -> None:
    frame = np.asarray(frame_photo(Image.new("RGB", (40, 20), "white"), spec(16, 16, fit="pad", pad_level=90)))
    assert (frame[4:12] == 255).all()
    assert (frame[:4] == 90).all() and (frame[12:] == 90).all()


def test_thin_strokes_survive_the_area_filter() -> None:
    darkest: dict[str, list[int]] = {"area": [], "bilinear": []}
    for left in range(100, 120):
        page = Image.new("L", (230, 230), 255)
        page.paste(0, (left, 0, left + 2, 230))
        for name, levels in darkest.items():
            levels.append(int(np.asarray(frame_photo(page, spec(64, 64, "grey", filter=name))).min()))
    assert max(darkest["area"]) < 255 - 255 / 4
    assert sum(darkest["area"]) < sum(darkest["bilinear"]) - 20 * 20


def test_area_filter_is_smooth_where_it_enlarges() -> None:
    step = Image.fromarray(np.array([[0, 255]], np.uint8))
    frame = np.asarray(frame_photo(step, spec(8, 8, "grey", filter="area")))
    assert len(np.unique(frame)) > 2


@pytest.mark.parametrize(("polarity", "light"), [("light_on_dark", False), ("dark_on_light", True)])
@pytest.mark.parametrize("paper", [0, 255])
def test_polarity_inverts_what_is_the_other_way(polarity: str, light: bool, paper: int) -> None:
    page = Image.new("L", (16, 16), paper)
    page.paste(255 - paper, (6, 6, 10, 10))
    frame = np.asarray(frame_photo(page, spec(8, 8, "grey", polarity=polarity)))
    assert (frame[0, 0] > frame[4, 4]) == light


def test_polarity_of_colour_keeps_the_alpha() -> None:
    page = Image.new("RGBA", (8, 8), (255, 250, 240, 200))
    assert frame_photo(page, spec(8, 8, "RGBA", polarity="light_on_dark")).getpixel((0, 0)) == (0, 5, 15, 200)


def test_transparent_pixels_are_white_unless_alpha_is_kept() -> None:
    clear = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    assert frame_photo(clear, spec()).getpixel((0, 0)) == (255, 255, 255)
    assert frame_photo(clear, spec(colour="RGBA")).getpixel((0, 0)) == (10, 20, 30, 0)


def test_sixteen_bits_are_not_stretched() -> None:
    levels = np.full((8, 8), 128 * 257, np.uint16)
    assert frame_photo(Image.fromarray(levels), spec(colour="grey")).getpixel((0, 0)) == 128


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"])
@pytest.mark.parametrize("colour", ["grey", "RGB", "BGR", "RGBA"])
def test_every_pillow_mode_is_accepted(mode: str, colour: Colour) -> None:
    image = picture().convert("P").convert("PA") if mode == "PA" else picture().convert("L" if mode == "I;16" else "RGB")
    image = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode) if mode != "PA" else image
    assert preprocess(image, spec(5, 9, colour)).shape == (spec(colour=colour).channels, 5, 9)


@given(
    st.integers(1, 300), st.integers(1, 300), st.sampled_from(["stretch", "crop", "pad"]), st.sampled_from(["area", "bilinear"])
)
def test_any_size_fits_the_frame(width: int, height: int, fit: str, scaling: str) -> None:
    image = Image.new("RGB", (width, height), (9, 9, 9))
    frame = frame_photo(image, spec(7, 11, fit=fit, filter=scaling, pad_level=9))
    assert same(frame, Image.new("RGB", (11, 7), (9, 9, 9)))


def test_blank_picture_is_a_picture() -> None:
    assert (preprocess(Image.new("RGB", (20, 20)), spec()) == 0).all()


def test_stages_are_in_colour() -> None:
    steps = stages(picture(), spec(10, 10))
    assert [(step.name, step.image.mode) for step in steps] == [("picture", "RGB"), ("input", "RGB")]


def test_notes_of_the_stages_say_what_was_done() -> None:
    whole, frame = stages(picture(), spec(10, 12, colour="BGR", fit="crop", polarity="light_on_dark"))
    assert whole.note == "In colour, 60x44: the whole picture."
    assert frame.note == (
        "Scaled, and its middle cut, to 12x10 (bilinear). Channels: B, G, R. Inverted if its border is light."
    )


def test_large_jpeg_keeps_its_colour_and_enough_pixels() -> None:
    buffer = BytesIO()
    Image.new("RGB", (2000, 1600), (200, 30, 30)).save(buffer, "JPEG")
    assert decode(buffer.getvalue()).mode == "L"
    image = decode(buffer.getvalue(), colour_side=spec(64, 64).colour_side)
    assert (image.mode, image.size) == ("RGB", (500, 400))
    assert decode(png(picture()), colour_side=900).size == (60, 44)

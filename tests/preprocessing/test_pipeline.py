"""Preprocessing of ink: the same tensor whatever the polarity, place, size, mode and pen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, preprocess, stages
from tests.preprocessing.specs import MNIST
from tests.support.pictures import BLACK, CLEAR, CLEAR_WHITE, WHITE, Colour, canvas, digit

RED: Colour = (200, 20, 20, 255)


def ink_box(tensor: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> tuple[int, int]:
    """Height and width of the ink in a tensor."""
    rows, columns = np.nonzero(tensor[0] > 0)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize(
    ("ink", "paper"),
    [(BLACK, WHITE), (WHITE, BLACK), (BLACK, CLEAR), (BLACK, CLEAR_WHITE), (WHITE, CLEAR), (WHITE, CLEAR_WHITE), (RED, WHITE)],
)
def test_result_does_not_depend_on_polarity_transparency_and_colour(ink: Colour, paper: Colour) -> None:
    expected = preprocess(digit("7", ink=BLACK, paper=WHITE), MNIST)
    np.testing.assert_allclose(preprocess(digit("7", ink=ink, paper=paper), MNIST), expected, atol=1 / 255)


@given(st.integers(-60, 60), st.integers(-40, 30), st.integers(0, 200), st.sampled_from([CLEAR, WHITE]))
def test_result_does_not_depend_on_position_and_padding(right: int, down: int, padding: int, paper: Colour) -> None:
    expected = preprocess(digit("4", paper=paper), MNIST)
    padded = Image.new("RGBA", (280 + padding, 280 + padding // 2), paper)
    padded.paste(digit("4", paper=paper, offset=(right, down)), (padding // 3, 0))
    np.testing.assert_array_equal(preprocess(padded, MNIST), expected)


def test_ink_fills_the_box_and_is_centred_by_mass() -> None:
    tensor = preprocess(digit("7"), MNIST)
    assert tensor.shape == (1, 28, 28)
    assert tensor.dtype == np.float32
    assert max(ink_box(tensor)) == 20
    mass = tensor[0] / tensor.sum()
    middle = np.arange(0.5, 28)
    assert abs(float(mass.sum(axis=0) @ middle) - 14) <= 0.6
    assert abs(float(mass.sum(axis=1) @ middle) - 14) <= 0.6


def test_aspect_ratio_is_kept() -> None:
    height, width = ink_box(preprocess(digit("1"), MNIST))
    assert height == 20
    assert width < 5


def test_image_in_mnist_format_hardly_changes() -> None:
    frame = stages(digit("4"), MNIST)[-1].image
    again = preprocess(frame, MNIST)[0]
    assert np.abs(again - np.asarray(frame, dtype=np.float32) / 255).mean() < 0.02


def test_thin_strokes_survive_a_large_page() -> None:
    page = canvas([[(300, 300), (420, 300), (350, 460)]], ink=BLACK, paper=WHITE, side=2000, width=1)
    assert float(preprocess(page, MNIST).max()) == 1.0


def test_size_channels_polarity_and_normalisation_follow_the_spec() -> None:
    spec = InputSpec(
        height=32,
        width=32,
        colour="RGB",
        geometry=Geometry(fit_box=32, centring="box", polarity="dark_on_light"),
        normalisation=Normalisation(mean=(0.5,), std=(0.25,)),
    )
    tensor = preprocess(digit("7"), spec)
    assert tensor.shape == (3, 32, 32)
    assert float(tensor.max()) == pytest.approx(2)
    assert float(tensor.min()) == pytest.approx(-2)
    assert float(tensor[0, -1, 0]) == pytest.approx(2)


def test_stages_describe_each_step() -> None:
    steps = stages(digit("7"), MNIST)
    assert [step.name for step in steps] == ["gray", "ink", "crop", "input"]
    assert all(step.image.mode == "L" and step.note for step in steps)
    assert steps[-1].image.size == (28, 28)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (280, 280), CLEAR),
        Image.new("RGBA", (280, 280), WHITE),
        Image.new("RGB", (10, 300), (90, 90, 90)),
        Image.new("L", (1, 1)),
        Image.new("I;16", (20, 20), 7),
    ],
)
def test_image_without_ink_raises_no_ink(image: Image.Image) -> None:
    with pytest.raises(NoInk, match="Nothing is drawn"):
        preprocess(image, MNIST)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"])
def test_every_pillow_mode_is_accepted(mode: str) -> None:
    flat = digit("7", ink=BLACK, paper=WHITE)
    if mode in ("I", "F", "I;16"):
        image = Image.fromarray(np.asarray(flat.convert("L"), dtype=np.uint16) * 257).convert(mode)
    elif mode == "PA":
        image = flat.convert("P").convert("PA")
    else:
        image = flat.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr", "P", "1") else flat.convert(mode)
    assert np.abs(preprocess(image, MNIST) - preprocess(flat, MNIST)).mean() < 0.02


@settings(max_examples=200)
@given(
    arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4])), elements=st.integers(0, 255)
    )
)
def test_any_picture_gives_a_tensor_in_range_or_no_ink(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    try:
        tensor = preprocess(Image.fromarray(pixels), MNIST)
    except NoInk:
        return
    assert tensor.shape == (1, 28, 28)
    assert float(tensor.min()) >= 0
    assert float(tensor.max()) == 1

"""Frames to tensors: layout, type, colour order and normalisation."""

import numpy as np
import pytest
from PIL import Image

from preprocessing import Colour, InputSpec, Layout, Normalisation, PhotoGeometry, tensor
from preprocessing.spec import ElementType
from tests.models.forms import picture

LEVELS = np.asarray(picture(), np.float32)
HEIGHT, WIDTH = LEVELS.shape[:2]
STATISTICS = Normalisation(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
EXPECTED = (LEVELS / 255 - np.array([0.1, 0.2, 0.3])) / np.array([0.5, 0.6, 0.7])


def spec(layout: Layout = "NCHW", colour: Colour = "RGB", normalisation: Normalisation = STATISTICS) -> InputSpec:
    return InputSpec(
        layout=layout, height=HEIGHT, width=WIDTH, colour=colour, geometry=PhotoGeometry(), normalisation=normalisation
    )


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("NCHW", EXPECTED.transpose(2, 0, 1)),
        ("NHWC", EXPECTED),
        ("NP", EXPECTED.ravel()),
        ("NP1", EXPECTED.reshape(-1, 1)),
    ],
)
def test_channels_are_normalised_each_in_every_layout(
    layout: Layout, expected: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
) -> None:
    made = tensor(picture(), spec(layout))
    assert made.dtype == np.float32
    assert made.shape == spec(layout).shape
    np.testing.assert_allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_bgr_has_the_channels_the_other_way(layout: Layout) -> None:
    made = tensor(picture(), spec(layout, "BGR", Normalisation()))
    made = made.transpose(1, 2, 0) if layout == "NCHW" else made
    np.testing.assert_allclose(made, LEVELS[:, :, ::-1] / 255, atol=1e-6)


@pytest.mark.parametrize(("type", "limit"), [("uint8", 255), ("int8", 127), ("int32", 255), ("int64", 255), ("float64", 255)])
def test_whole_numbers_are_rounded_and_limited(type: ElementType, limit: int) -> None:
    made = tensor(picture(), spec("NHWC", normalisation=Normalisation(scale=255)).model_copy(update={"type": type}))
    assert made.dtype == type
    np.testing.assert_array_equal(made, LEVELS.clip(0, limit))


def test_whole_numbers_of_another_scale_are_rounded() -> None:
    made = tensor(picture(), spec("NHWC", normalisation=Normalisation(scale=16)).model_copy(update={"type": "uint8"}))
    assert np.abs(made - LEVELS * 16 / 255).max() <= 0.5001


def test_grey_frame_is_repeated_and_opaque() -> None:
    frame = picture().convert("L")
    made = tensor(frame, spec("NHWC", "RGBA", Normalisation(scale=255)))
    assert (made[:, :, 3] == 255).all()
    for channel in range(3):
        np.testing.assert_allclose(made[:, :, channel], np.asarray(frame), atol=1e-4)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "NHW", "NP"])
def test_transposed_exchanges_rows_and_columns(layout: Layout) -> None:
    frame = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    made = tensor(
        frame,
        InputSpec(
            layout=layout, height=8, width=8, transposed=True, geometry=PhotoGeometry(), normalisation=Normalisation(scale=255)
        ),
    )
    np.testing.assert_allclose(made.reshape(8, 8), np.asarray(frame).T, atol=1e-4)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "NP"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("normalisation", [STATISTICS, Normalisation(scale=2, mean=1, std=0.5)], ids=["each", "alike"])
def test_float16_is_the_rounded_float32(layout: Layout, colour: Colour, normalisation: Normalisation) -> None:
    single = spec(layout, colour, normalisation)
    made = tensor(picture(), single.model_copy(update={"type": "float16"}))
    assert made.dtype == np.float16
    np.testing.assert_array_equal(made, tensor(picture(), single).astype(np.float16))

"""Segmentation of photographed objects from any background into the frame of a model."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, preprocess, stages
from preprocessing.pixels import Grey
from tests.preprocessing.garments import shirt, shoe
from tests.preprocessing.specs import FASHION

Photo = npt.NDArray[np.float64]

SIDES = st.integers(1, 40)
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"]


def framed(image: Image.Image | Grey) -> Grey:
    """The frame of an image."""
    shown = image if isinstance(image, Image.Image) else Image.fromarray(image)
    frame: Grey = (preprocess(shown, FASHION)[0] * 255).round().astype(np.uint8)
    return frame


def difference(one: Grey, other: Grey) -> float:
    """Mean absolute difference in levels; that of shirt and shoe is 104."""
    return float(np.abs(one.astype(int) - other).mean())


def on_background(garment: Grey, level: int, margins: tuple[int, int, int, int] = (20, 20, 20, 20)) -> Image.Image:
    """A dark garment on a background of this level, with margins on the left, top, right and bottom."""
    left, top, right, bottom = margins
    padded = np.pad(garment, ((top, bottom), (left, right))).astype(float)
    return Image.fromarray((level * (1 - padded / 255)).round().astype(np.uint8))


@pytest.mark.parametrize("garment", [shirt(), shoe()])
def test_image_in_the_training_format_is_unchanged(garment: Grey) -> None:
    np.testing.assert_array_equal(framed(garment), garment)
    np.testing.assert_array_equal(framed(255 - garment), garment)


def test_faint_rims_of_small_images_are_kept() -> None:
    garment = shirt()
    garment = np.where(np.roll(garment, 1, axis=1) > 0, np.maximum(garment, 2), garment)
    np.testing.assert_array_equal(framed(garment), garment)


@given(st.tuples(*[st.integers(0, 60)] * 4), st.sampled_from([0, 90, 255]), st.sampled_from([28, 100]))
def test_result_does_not_depend_on_margins_of_uniform_background(
    margins: tuple[int, int, int, int], level: int, side: int
) -> None:
    garment = np.asarray(on_background(shirt(side), 240, (0, 0, 0, 0))) if level == 90 else shirt(side)
    picture = np.where(shirt(side) > 0, garment, level).astype(np.uint8)
    left, top, right, bottom = margins
    ring = np.pad(picture, 1, constant_values=level)
    padded = np.pad(ring, ((top, bottom), (left, right)), constant_values=level)
    np.testing.assert_array_equal(framed(padded), framed(ring))


@pytest.mark.parametrize("garment", [shirt, shoe])
@pytest.mark.parametrize("side", [56, 112, 280, 560, 1120])
@pytest.mark.parametrize("level", [255, 180])
def test_result_hardly_depends_on_size_and_background(garment: Callable[[int], Grey], side: int, level: int) -> None:
    assert difference(framed(on_background(garment(side), level)), garment(28)) < 8


def uneven_light(photo: Photo) -> None:
    photo *= np.linspace(1, 0.7, photo.shape[1])


def vignette(photo: Photo) -> None:
    across = np.linspace(-1, 1, photo.shape[1]) ** 2
    photo *= 1 - 0.15 * (across + (np.linspace(-1, 1, photo.shape[0]) ** 2)[:, None])


def noise(photo: Photo) -> None:
    photo += np.random.default_rng(0).normal(0, 6, photo.shape)


@pytest.mark.parametrize("garment", [shirt, shoe])
@pytest.mark.parametrize("level", [160, 240])
@pytest.mark.parametrize("side", [100, 500])
def test_result_hardly_depends_on_uneven_light_and_noise(garment: Callable[[int], Grey], level: int, side: int) -> None:
    photo = np.asarray(on_background(garment(side), level, (side // 4, side // 8, side // 8, side // 5)), dtype=float)
    for change in (uneven_light, vignette, noise):
        change(photo)
    assert difference(framed(rounded(photo)), garment(28)) < 10


@pytest.mark.parametrize("garment", [shirt, shoe])
@pytest.mark.parametrize("level", [0, 40])
@pytest.mark.parametrize("side", [100, 500])
def test_result_hardly_depends_on_noise_on_a_dark_background(garment: Callable[[int], Grey], level: int, side: int) -> None:
    photo: Photo = level + np.pad(garment(side), side // 6) * np.float64(1 - level / 255)
    noise(photo)
    assert difference(framed(rounded(photo)), garment(28)) < 10


def rounded(photo: Photo) -> Grey:
    levels: Grey = photo.clip(0, 255).round().astype(np.uint8)
    return levels


@pytest.mark.parametrize("noisy", [False, True])
def test_object_and_its_negative_give_the_same_frame(noisy: bool) -> None:
    photo = np.asarray(on_background(shirt(120), 230), dtype=float)
    if noisy:
        noise(photo)
    picture = rounded(photo)
    assert difference(framed(picture), framed(255 - picture)) < 1


def test_transparent_background_gives_the_frame_of_a_white_one() -> None:
    garment = shirt(112)
    levels = 255 - garment
    cut = Image.merge("LA", [Image.fromarray(levels), Image.fromarray((garment > 0).astype(np.uint8) * 255)])
    assert difference(framed(cut), shirt()) < 3
    assert difference(framed(cut.convert("RGBA")), shirt()) < 3


def test_white_object_on_transparency_is_visible() -> None:
    white = Image.new("RGBA", (112, 112), "white")
    white.putalpha(Image.fromarray((shoe(112) > 0).astype(np.uint8) * 255))
    frame = framed(white)
    assert frame[16].min() > 0
    assert frame[0].max() == 0


def test_opaque_alpha_channel_changes_nothing() -> None:
    plain = on_background(shirt(100), 200)
    np.testing.assert_array_equal(framed(plain.convert("RGBA")), framed(plain))


def test_dust_is_removed_and_both_shoes_are_kept() -> None:
    photo = np.asarray(on_background(shirt(200), 220))
    dusty = photo.copy()
    dusty[3:5, 4:6] = 90
    np.testing.assert_array_equal(framed(dusty), framed(photo))
    pair = np.pad(np.hstack([shoe(100), np.zeros((100, 150), dtype=np.uint8), shoe(100)]), 10)
    frame = framed(pair)
    assert frame[:, :8].max() == frame[:, -8:].max() == 255
    assert frame[:, 12:16].max() == 0


def test_object_cut_off_by_the_edge_is_found() -> None:
    whole = np.asarray(on_background(shirt(200), 220), dtype=float)
    noise(whole)
    lower = Image.fromarray(rounded(whole)).crop((0, 0, 240, 150))
    assert difference(framed(lower), framed(np.pad(shirt(200)[:130], ((20, 0), (20, 20))))) < 8


def test_pale_object_is_amplified() -> None:
    pale = (shirt(100) * 0.4).astype(np.uint8)
    assert difference(framed(on_background(pale, 255)), shirt()) < 3


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (280, 280)),
        Image.new("RGB", (10, 300), (90, 90, 90)),
        Image.new("L", (1, 1)),
        Image.new("I;16", (20, 20), 7),
        Image.fromarray(np.random.default_rng(0).normal(200, 6, (200, 200)).astype(np.uint8)),
        Image.fromarray(np.tile(np.linspace(120, 220, 200), (150, 1)).astype(np.uint8)),
    ],
)
def test_image_without_an_object_raises_no_ink(image: Image.Image) -> None:
    with pytest.raises(NoInk, match="Nothing stands out from the background"):
        preprocess(image, FASHION)


def test_size_channels_polarity_and_normalisation_follow_the_spec() -> None:
    spec = InputSpec(
        height=34,
        width=34,
        colour="RGB",
        geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="dark_on_light"),
        normalisation=Normalisation(mean=(0.5,), std=(0.5,)),
    )
    tensor = preprocess(Image.fromarray(shirt()), spec)
    assert tensor.shape == (3, 34, 34)
    np.testing.assert_allclose(tensor[0, 3:31, 3:31], (1 - shirt() / 255 - 0.5) * 2, atol=1e-6)
    assert tensor[0, 0, 0] == 1


def test_stages_describe_each_step() -> None:
    steps = stages(on_background(shirt(600), 200), FASHION)
    assert [step.name for step in steps] == ["gray", "object", "crop", "input"]
    assert all(step.image.mode == "L" and step.note for step in steps)
    gray, garment, crop, frame = (step.image for step in steps)
    assert gray.size == (640, 640)
    assert garment.width / crop.width == pytest.approx(640 / 560, rel=0.03)
    assert garment.getpixel((0, 0)) == 0
    np.testing.assert_array_equal(np.asarray(frame), framed(on_background(shirt(600), 200)))


@settings(max_examples=300)
@given(
    arrays.arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(4)), elements=st.integers(0, 255), fill=st.just(200)),
    st.sampled_from(MODES),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_any_picture_gives_a_tensor_in_range_or_no_ink(pixels: Grey, mode: str, wider: int, higher: int) -> None:
    image = Image.fromarray(pixels.repeat(wider, axis=1).repeat(higher, axis=0))
    if mode == "PA":
        image = image.convert("P")
    elif mode == "I;16":
        image = image.convert("I")
    elif mode in ("P", "CMYK", "YCbCr"):
        image = image.convert("RGB")
    image = image.convert(mode)
    try:
        tensor = preprocess(image, FASHION)
    except NoInk:
        return
    assert tensor.shape == (1, 28, 28)
    assert tensor.dtype == np.float32
    assert float(tensor.min()) >= 0
    assert 0 < float(tensor.max()) <= 1
    assert len(stages(image, FASHION)) == 4

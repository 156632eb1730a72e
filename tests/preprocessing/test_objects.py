from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from preprocessing import Geometry, InputSpec, NoInk, Normalisation, preprocess, stages
from preprocessing.levels import Grey

Photo = npt.NDArray[np.float64]

FASHION = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
SIDES = st.integers(1, 40)
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"]


def shirt(side: int = 28) -> Grey:
    """A shirt with stripes, a dark pocket and cuffs, light on black, as high as the picture."""
    image = Image.new("L", (112, 112))
    draw = ImageDraw.Draw(image)
    outline = [(40, 0), (72, 0), (108, 24), (100, 104), (88, 104), (86, 40), (84, 111), (28, 111), (26, 40), (24, 104)]
    draw.polygon([*outline, (12, 104), (4, 24)], fill=150)
    for top in range(20, 100, 24):
        draw.rectangle((32, top, 80, top + 8), fill=255)
    draw.rectangle((60, 30, 76, 46), fill=40)
    draw.rectangle((12, 96, 24, 104), fill=220)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def shoe(side: int = 28) -> Grey:
    """A shoe with a light sole, light on black, as wide as the picture."""
    image = Image.new("L", (112, 112))
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 72), (4, 36), (40, 32), (68, 56), (108, 64), (111, 72)], fill=190)
    draw.rectangle((0, 72, 111, 79), fill=255)
    draw.line([(44, 40), (64, 56)], fill=60, width=4)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def seen(image: Image.Image | Grey) -> Grey:
    """The frame of a picture."""
    shown = image if isinstance(image, Image.Image) else Image.fromarray(image)
    frame: Grey = (preprocess(shown, FASHION)[0] * 255).round().astype(np.uint8)
    return frame


def difference(one: Grey, other: Grey) -> float:
    """Mean absolute difference in levels; that of the shirt and the shoe is 104."""
    return float(np.abs(one.astype(int) - other).mean())


def on_ground(thing: Grey, level: int, margins: tuple[int, int, int, int] = (20, 20, 20, 20)) -> Image.Image:
    """A thing as dark as its levels say on a ground of this level, with so much of it on the left, top, right and bottom."""
    left, top, right, bottom = margins
    padded = np.pad(thing, ((top, bottom), (left, right))).astype(float)
    return Image.fromarray((level * (1 - padded / 255)).round().astype(np.uint8))


@pytest.mark.parametrize("thing", [shirt(), shoe()])
def test_a_picture_as_the_model_was_trained_on_goes_through_to_the_byte(thing: Grey) -> None:
    np.testing.assert_array_equal(seen(thing), thing)
    np.testing.assert_array_equal(seen(255 - thing), thing)


def test_faint_rims_of_small_pictures_stay() -> None:
    thing = shirt()
    thing = np.where(np.roll(thing, 1, axis=1) > 0, np.maximum(thing, 2), thing)
    np.testing.assert_array_equal(seen(thing), thing)


@given(st.tuples(*[st.integers(0, 60)] * 4), st.sampled_from([0, 90, 255]), st.sampled_from([28, 100]))
def test_more_of_an_even_ground_does_not_matter(margins: tuple[int, int, int, int], level: int, side: int) -> None:
    thing = np.asarray(on_ground(shirt(side), 240, (0, 0, 0, 0))) if level == 90 else shirt(side)
    picture = np.where(shirt(side) > 0, thing, level).astype(np.uint8)
    left, top, right, bottom = margins
    ring = np.pad(picture, 1, constant_values=level)
    padded = np.pad(ring, ((top, bottom), (left, right)), constant_values=level)
    np.testing.assert_array_equal(seen(padded), seen(ring))


@pytest.mark.parametrize("thing", [shirt, shoe])
@pytest.mark.parametrize("side", [56, 112, 280, 560, 1120])
@pytest.mark.parametrize("level", [255, 180])
def test_size_and_ground_hardly_matter(thing: Callable[[int], Grey], side: int, level: int) -> None:
    assert difference(seen(on_ground(thing(side), level)), thing(28)) < 8


def falling_light(photo: Photo) -> None:
    photo *= np.linspace(1, 0.7, photo.shape[1])


def dark_corners(photo: Photo) -> None:
    across = np.linspace(-1, 1, photo.shape[1]) ** 2
    photo *= 1 - 0.15 * (across + (np.linspace(-1, 1, photo.shape[0]) ** 2)[:, None])


def noise(photo: Photo) -> None:
    photo += np.random.default_rng(0).normal(0, 6, photo.shape)


@pytest.mark.parametrize("thing", [shirt, shoe])
@pytest.mark.parametrize("level", [160, 240])
@pytest.mark.parametrize("side", [100, 500])
def test_uneven_light_and_noise_hardly_matter_on_a_light_ground(thing: Callable[[int], Grey], level: int, side: int) -> None:
    photo = np.asarray(on_ground(thing(side), level, (side // 4, side // 8, side // 8, side // 5)), dtype=float)
    for change in (falling_light, dark_corners, noise):
        change(photo)
    assert difference(seen(rounded(photo)), thing(28)) < 10


@pytest.mark.parametrize("thing", [shirt, shoe])
@pytest.mark.parametrize("level", [0, 40])
@pytest.mark.parametrize("side", [100, 500])
def test_noise_hardly_matters_on_a_dark_ground(thing: Callable[[int], Grey], level: int, side: int) -> None:
    photo: Photo = level + np.pad(thing(side), side // 6) * np.float64(1 - level / 255)
    noise(photo)
    assert difference(seen(rounded(photo)), thing(28)) < 10


def rounded(photo: Photo) -> Grey:
    levels: Grey = photo.clip(0, 255).round().astype(np.uint8)
    return levels


@pytest.mark.parametrize("noisy", [False, True])
def test_a_thing_and_its_negative_are_seen_alike(noisy: bool) -> None:
    photo = np.asarray(on_ground(shirt(120), 230), dtype=float)
    if noisy:
        noise(photo)
    picture = rounded(photo)
    assert difference(seen(picture), seen(255 - picture)) < 1


def test_levels_are_as_on_white_where_the_rest_is_transparent() -> None:
    thing = shirt(112)
    levels = 255 - thing
    cut = Image.merge("LA", [Image.fromarray(levels), Image.fromarray((thing > 0).astype(np.uint8) * 255)])
    assert difference(seen(cut), shirt()) < 3
    assert difference(seen(cut.convert("RGBA")), shirt()) < 3


def test_a_white_thing_on_nothing_shows() -> None:
    white = Image.new("RGBA", (112, 112), "white")
    white.putalpha(Image.fromarray((shoe(112) > 0).astype(np.uint8) * 255))
    frame = seen(white)
    assert frame[16].min() > 0
    assert frame[0].max() == 0


def test_opaque_pictures_with_an_alpha_channel_are_as_without() -> None:
    plain = on_ground(shirt(100), 200)
    np.testing.assert_array_equal(seen(plain.convert("RGBA")), seen(plain))


def test_dust_is_left_out_and_both_shoes_are_kept() -> None:
    photo = np.asarray(on_ground(shirt(200), 220))
    dusty = photo.copy()
    dusty[3:5, 4:6] = 90
    np.testing.assert_array_equal(seen(dusty), seen(photo))
    pair = np.pad(np.hstack([shoe(100), np.zeros((100, 150), dtype=np.uint8), shoe(100)]), 10)
    frame = seen(pair)
    assert frame[:, :8].max() == frame[:, -8:].max() == 255
    assert frame[:, 12:16].max() == 0


def test_a_thing_cut_off_by_the_frame_is_found() -> None:
    whole = np.asarray(on_ground(shirt(200), 220), dtype=float)
    noise(whole)
    lower = Image.fromarray(rounded(whole)).crop((0, 0, 240, 150))
    assert difference(seen(lower), seen(np.pad(shirt(200)[:130], ((20, 0), (20, 20))))) < 8


def test_a_pale_thing_is_lifted_as_the_data_of_the_model_are() -> None:
    pale = (shirt(100) * 0.4).astype(np.uint8)
    assert difference(seen(on_ground(pale, 255)), shirt()) < 3


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
def test_nothing_there(image: Image.Image) -> None:
    with pytest.raises(NoInk, match="Nothing stands out from the ground"):
        preprocess(image, FASHION)


def test_size_channels_polarity_and_normalisation_follow_the_spec() -> None:
    spec = InputSpec(
        size=34,
        channels=3,
        geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="dark_on_light"),
        normalisation=Normalisation(mean=0.5, std=0.5),
    )
    tensor = preprocess(Image.fromarray(shirt()), spec)
    assert tensor.shape == (3, 34, 34)
    np.testing.assert_allclose(tensor[0, 3:31, 3:31], (1 - shirt() / 255 - 0.5) * 2, atol=1e-6)
    assert tensor[0, 0, 0] == 1


def test_stages_tell_what_was_done() -> None:
    steps = stages(on_ground(shirt(600), 200), FASHION)
    assert [step.name for step in steps] == ["gray", "object", "crop", "input"]
    assert all(step.image.mode == "L" and step.note for step in steps)
    gray, thing, crop, frame = (step.image for step in steps)
    assert gray.size == (640, 640)
    assert thing.width / crop.width == pytest.approx(640 / 560, rel=0.03)
    assert thing.getpixel((0, 0)) == 0
    np.testing.assert_array_equal(np.asarray(frame), seen(on_ground(shirt(600), 200)))


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

"""Degraded images (uneven light, noise, ruled paper, JPEG) give nearly the same tensor as the clean drawing."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from preprocessing import NoInk, preprocess, stages
from tests.preprocessing.specs import MNIST
from tests.support.pictures import BLACK, STROKES, WHITE, canvas, digit

# Mean absolute difference of two tensors in 0..1 that show the same digit; another digit is 0.1 and more away.
TOLERANCE = 0.035

Change = Callable[[Image.Image], Image.Image]


def paper() -> Image.Image:
    return digit("4", ink=BLACK, paper=WHITE).convert("L")


def levels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(image, dtype=np.float64)


def picture(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def uneven_light(image: Image.Image) -> Image.Image:
    return picture(levels(image) * np.linspace(0.95, 0.5, image.width))


def noise(image: Image.Image) -> Image.Image:
    return picture(levels(image) * 0.8 + 25 + np.random.default_rng(0).normal(0, 15, image.size[::-1]))


def noise_on_a_blackboard(image: Image.Image) -> Image.Image:
    return picture(200 - levels(image) * 0.6 + np.random.default_rng(0).normal(0, 10, image.size[::-1]))


def squared_paper(image: Image.Image) -> Image.Image:
    grid = levels(image)
    for place in range(9, 280, 28):
        grid[place : place + 2] = np.minimum(grid[place : place + 2], 150)
        grid[:, place : place + 2] = np.minimum(grid[:, place : place + 2], 150)
    return picture(grid)


def ruled_paper(image: Image.Image) -> Image.Image:
    lines = levels(image)
    for place in range(20, 280, 45):
        lines[place : place + 2] = np.minimum(lines[place : place + 2], 130)
    return picture(lines)


def dark_edge(image: Image.Image) -> Image.Image:
    edged = levels(image)
    edged[:, :12] = 40
    return picture(edged)


def frame(image: Image.Image) -> Image.Image:
    ImageDraw.Draw(image).rectangle((0, 0, 279, 279), outline=0, width=4)
    return image


def specks(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for x, y in ((12, 20), (260, 30), (30, 265), (255, 250), (8, 140)):
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=0)
    return image


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    return Image.open(buffer)


def faint(image: Image.Image) -> Image.Image:
    return picture(225 + levels(image) * 30 / 255)


def large(image: Image.Image) -> Image.Image:
    return image.resize((2048, 2048), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "change",
    [uneven_light, noise, noise_on_a_blackboard, squared_paper, ruled_paper, dark_edge, frame, specks, jpeg, faint, large],
)
def test_digit_is_recovered_from_a_degraded_image(change: Change) -> None:
    expected, found = preprocess(paper(), MNIST), preprocess(change(paper()), MNIST)
    assert float(np.abs(found - expected).mean()) < TOLERANCE


def test_other_digits_differ_by_more_than_the_tolerance() -> None:
    for name in set(STROKES) - {"4"}:
        other = preprocess(digit(name), MNIST)
        assert float(np.abs(other - preprocess(paper(), MNIST)).mean()) > 2 * TOLERANCE


def test_separate_strokes_of_one_digit_are_kept_together() -> None:
    five: list[list[tuple[float, float]]] = [
        [(130, 90), (115, 150), (160, 150), (165, 200), (110, 215)],
        [(150, 75), (210, 70)],
    ]
    assert aspect(canvas(five, width=10)) > 1.3 * aspect(canvas(five[:1], width=10))


def test_distant_speck_does_not_widen_the_crop() -> None:
    image = digit("7")
    ImageDraw.Draw(image).ellipse((5, 5, 9, 9), fill=BLACK)
    assert aspect(image) == pytest.approx(aspect(digit("7")), rel=0.05)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_thin_strokes_are_normalised(width: int) -> None:
    pen = canvas(STROKES["7"], ink=BLACK, paper=WHITE, width=width)
    usual = preprocess(digit("7"), MNIST)
    assert float(np.abs(preprocess(pen, MNIST) - usual).mean()) < 2 * TOLERANCE


def test_faint_one_pixel_line_on_a_large_page_survives() -> None:
    page = canvas([[(240, 180), (600, 180), (390, 660)]], ink=(190, 190, 190, 255), paper=WHITE, side=1050, width=1)
    usual = preprocess(digit("7"), MNIST)
    assert float(np.abs(preprocess(page, MNIST) - usual).mean()) < 2 * TOLERANCE


def test_sparse_dots_on_a_huge_page_survive() -> None:
    page = np.zeros((3000, 3000), dtype=np.uint8)
    places = np.linspace(5, 2994, 1000).astype(int)
    page[places, places] = 255
    line = canvas([[(30, 30), (250, 250)]])
    assert float(np.abs(preprocess(Image.fromarray(page), MNIST) - preprocess(line, MNIST)).mean()) < 2 * TOLERANCE


def test_noise_alone_raises_no_ink() -> None:
    values = np.random.default_rng(0).normal(200, 12, (200, 200))
    with pytest.raises(NoInk):
        preprocess(picture(values), MNIST)


def aspect(image: Image.Image) -> float:
    """Width over height of the ink that was kept."""
    crop = next(stage for stage in stages(image, MNIST) if stage.name == "crop").image
    return crop.width / crop.height

"""Images that a model is not made for: some are trained on as outliers, others only measure how well they are rejected."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from training.data import drawings
from training.data.datasets import Images, LabelledImages, fashion
from training.data.drawings import Doodle
from training.data.image_sets import ImageSet, Renderer, unchanged
from training.data.splits import Split
from training.rendering.augmentation import augment_scan
from training.rendering.strokes.brush import draw_strokes
from training.rendering.strokes.curves import curve

OUTLIER: Final = -1
"""The class of an image that the model is not made for."""
SCRIBBLES: Final = 6000
CLOTHES: Final = 3000

# Quick, Draw! words whose drawings look like a digit or a letter: no model can be expected to reject them.
AMBIGUOUS: Final = frozenset(
    (
        "boomerang",
        "circle",
        "elbow",
        "hockey stick",
        "line",
        "moon",
        "mountain",
        "nose",
        "snake",
        "squiggle",
        "triangle",
        "zigzag",
    )
)
_LIKE_DIGITS = """
apple, banana, bandage, baseball, baseball bat, basketball, bat, beard, blackberry, blueberry, bracelet, bread, broom, bush,
candle, clock, cloud, compass, cookie, crayon, diamond, donut, drill, ear, eye, eyeglasses, feather, finger, fork, garden hose,
golf club, goatee, hammer, hexagon, hockey puck, hourglass, knee, lantern, leg, lightning, lipstick, lollipop, marker, matches,
mouth, moustache, nail, necklace, octagon, onion, paint can, paintbrush, paper clip, pear, peas, pencil, picture frame, pizza,
pond, pool, potato, rainbow, rake, river, rifle, screwdriver, smiley face, snowman, soccer ball, spoon, square, stairs, steak,
stitches, string bean, sword, syringe, tennis racquet, toe, toothbrush, tornado, watermelon, wheel, wine bottle, wristwatch
"""
# Words with circles, straight lines and curves: not used as training outliers, lest the model becomes unsure of digits.
LIKE_DIGITS: Final = AMBIGUOUS | {" ".join(word.split()) for word in _LIKE_DIGITS.split(",")}
# Letters unlike any digit in either case, and digits unlike any letter, as the classes of training.data.datasets.emnist.
LETTERS_UNLIKE_DIGITS: Final = tuple(ord(letter) - ord("A") + 10 for letter in "EHKMNWX")
DIGITS_UNLIKE_LETTERS: Final = (3, 4, 7)


def split_of_word(word: str) -> Split:
    """Assign a Quick, Draw! word to a split by its hash: 50 % train, 20 % validation, 30 % test."""
    place = zlib.crc32(word.encode()) % 10
    return "train" if place < 5 else "validation" if place < 7 else "test"


def doodles(data: Path, split: Split) -> list[Doodle]:
    """Select the doodles of a split's words; ``train`` leaves out ``LIKE_DIGITS``, the other splits ``AMBIGUOUS``."""
    left_out = LIKE_DIGITS if split == "train" else AMBIGUOUS
    return [one for one in drawings.quickdraw(data) if one.word not in left_out and split_of_word(one.word) == split]


def training_outliers(data: Path, characters: Images, seed: int) -> dict[str, ImageSet]:
    """Outliers to train a model of characters with: doodles, scribbles and other ``characters`` ``uint8[N, 28, 28]``."""
    drawn = doodles(data, "train") * 6
    scribbles = [1, 2, 2, 3] * (SCRIBBLES // 4)
    return {
        "doodles": outlier_set(render_doodle, drawn, seed),
        "other characters": outlier_set(augment_scan, characters, seed + 1),
        "scribbles": outlier_set(render_scribble, scribbles, seed + 2),
    }


def unseen_outliers(data: Path, split: Split) -> dict[str, ImageSet]:
    """Outliers that no model of characters is trained with: other words, non-Latin alphabets, clothes."""
    testing = split == "test"
    drawn = doodles(data, split)
    symbols = 255 - drawings.omniglot(data, "images_background_small2" if testing else "images_background_small1").images
    clothes = fashion(data, "test" if testing else "train").images
    clothes = clothes[np.random.default_rng(5).permutation(len(clothes))[:CLOTHES]]
    return {
        "Quick, Draw! (other words)": outlier_set(render_doodle, drawn, 11),
        "Omniglot (not Latin)": outlier_set(unchanged, symbols),
        "Fashion-MNIST": outlier_set(unchanged, clothes),
    }


def unfamiliar_symbols(data: Path, split: Split) -> dict[str, ImageSet]:
    """Outliers from Omniglot: characters unlike Latin letters and digits, by the authors of a split."""
    drawn = drawings.symbols(data).in_split(split)
    return {"Omniglot (unlike our letters)": outlier_set(unchanged, 255 - drawn.images)}


def every_second_of(characters: LabelledImages, classes: tuple[int, ...]) -> Images:
    """Select every second image of some classes: ``uint8[N, 28, 28]``."""
    return characters.images[np.isin(characters.labels, classes)][::2]


def outlier_set(render: Renderer, sources: Sequence[Any] | npt.NDArray[Any], seed: int = 0) -> ImageSet:
    """Create an image set whose images all have the outlier class."""
    return ImageSet(render, sources, np.full(len(sources), OUTLIER, dtype=np.int64), seed)


def render_row(characters: Images, rng: np.random.Generator) -> Image.Image:
    """Render two to four of four characters ``uint8[4, 28, 28]``, white on black, side by side: mode "L"."""
    line = [augment_scan(character, rng) for character in characters[: int(rng.integers(2, 5))]]
    height = max(one.height for one in line)
    line = [one.resize((round(one.width * height / one.height), height)) for one in line]
    overlap = round(height * rng.uniform(0.1, 0.25))
    canvas = Image.new("L", (sum(one.width - overlap for one in line) + overlap, height))
    left = 0
    for one in line:
        canvas.paste(ImageChops.lighter(one, canvas.crop((left, 0, left + one.width, height))), (left, 0))
        left += one.width - overlap
    return canvas


def render_doodle(doodle: Doodle, rng: np.random.Generator) -> Image.Image:
    """Draw a doodle with a random handwriting and brush: mode "L", white on black."""
    return draw_strokes(doodle.paths, rng)


def render_scribble(strokes: int, rng: np.random.Generator) -> Image.Image:
    """Draw a number of long random curves: mode "L", white on black."""
    points: list[npt.NDArray[np.float64]] = [rng.uniform(0, 1, (int(rng.integers(7, 14)), 2)) for _ in range(strokes)]
    return draw_strokes([curve(rng, *knots) for knots in points], rng)

"""Pictures of what a model was not made for: some to train its doubt on, others, never trained on, to measure it."""

import zlib
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from training import drawings
from training.augment import vary
from training.datasets import Images, Labelled, Labels, fashion
from training.drawings import Doodle
from training.frames import Pictures, as_it_is
from training.splits import Part
from training.strokes.curves import curve
from training.strokes.pen import picture

OUTLIER: Final = -1
"""The class of a picture that the model was not made for."""
SCRIBBLES: Final = 6000
CLOTHES: Final = 3000

# Quick, Draw! words whose drawings many would read as a digit or a letter: nobody can be asked to reject them.
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
# Words with rounds, sticks and bows: no model is trained to doubt them, lest it doubts digits.
LIKE_DIGITS: Final = AMBIGUOUS | {" ".join(word.split()) for word in _LIKE_DIGITS.split(",")}
# Letters unlike any digit in either case, and digits unlike any letter, as the classes of training.datasets.emnist.
UNLIKE_DIGITS: Final = tuple(ord(letter) - ord("A") + 10 for letter in "EHKMNWX")
UNLIKE_LETTERS: Final = (3, 4, 7)


def part_of_word(word: str) -> Part:
    """Which part a Quick, Draw! word belongs to: half of the words train, the others validate or test."""
    place = zlib.crc32(word.encode()) % 10
    return "train" if place < 5 else "validation" if place < 7 else "test"


def doodles(data: Path, part: Part) -> list[Doodle]:
    """Drawings of one part of the words. Training leaves out ``LIKE_DIGITS``; the other parts only what is ``AMBIGUOUS``."""
    left_out = LIKE_DIGITS if part == "train" else AMBIGUOUS
    return [one for one in drawings.quickdraw(data) if one.word not in left_out and part_of_word(one.word) == part]


def shown(data: Path, characters: Images, seed: int) -> dict[str, Pictures]:
    """What a model of characters is shown to doubt: doodles, these other ``characters`` ``uint8[N, 28, 28]`` and scribbles."""
    drawn = doodles(data, "train") * 6
    scribbles = [1, 2, 2, 3] * (SCRIBBLES // 4)
    return {
        "doodles": Pictures(doodled, drawn, unknown(len(drawn)), seed),
        "other characters": Pictures(vary, characters, unknown(len(characters)), seed + 1),
        "scribbles": Pictures(scribbled, scribbles, unknown(len(scribbles)), seed + 2),
    }


def never_shown(data: Path, part: Part) -> dict[str, Pictures]:
    """What no model of characters was trained on: other words, alphabets other than Latin, clothes."""
    testing = part == "test"
    drawn = doodles(data, part)
    signs = 255 - drawings.omniglot(data, "images_background_small2" if testing else "images_background_small1").images
    clothes = fashion(data, "test" if testing else "train").images
    clothes = clothes[np.random.default_rng(5).permutation(len(clothes))[:CLOTHES]]
    return {
        "Quick, Draw! (other words)": Pictures(doodled, drawn, unknown(len(drawn)), 11),
        "Omniglot (not Latin)": Pictures(as_it_is, signs, unknown(len(signs))),
        "Fashion-MNIST": Pictures(as_it_is, clothes, unknown(len(clothes))),
    }


def signs_unlike_ours(data: Path, part: Part) -> dict[str, Pictures]:
    """Characters of Omniglot that are no letters or digits of ours, by the people of one part."""
    drawn = drawings.signs(data).by(part)
    return {"Omniglot (unlike our letters)": Pictures(as_it_is, 255 - drawn.images, unknown(len(drawn.images)))}


def unlike(characters: Labelled, classes: tuple[int, ...]) -> Images:
    """Every second of those characters whose class is one of ``classes``: ``uint8[N, 28, 28]``."""
    return characters.images[np.isin(characters.labels, classes)][::2]


def unknown(count: int) -> Labels:
    """So many times the class of what the model was not made for."""
    return np.full(count, OUTLIER, dtype=np.int64)


def row(characters: Images, hand: np.random.Generator) -> Image.Image:
    """Two to four characters ``uint8[4, 28, 28]``, white on black, side by side: mode "L"."""
    line = [vary(character, hand) for character in characters[: int(hand.integers(2, 5))]]
    height = max(one.height for one in line)
    line = [one.resize((round(one.width * height / one.height), height)) for one in line]
    overlap = round(height * hand.uniform(0.1, 0.25))
    sheet = Image.new("L", (sum(one.width - overlap for one in line) + overlap, height))
    left = 0
    for one in line:
        sheet.paste(ImageChops.lighter(one, sheet.crop((left, 0, left + one.width, height))), (left, 0))
        left += one.width - overlap
    return sheet


def doodled(doodle: Doodle, hand: np.random.Generator) -> Image.Image:
    """The drawing by another hand and pen: mode "L", white on black."""
    return picture(doodle.paths, hand)


def scribbled(strokes: int, hand: np.random.Generator) -> Image.Image:
    """So many long meaningless curves: mode "L", white on black."""
    points: list[npt.NDArray[np.float64]] = [hand.uniform(0, 1, (int(hand.integers(7, 14)), 2)) for _ in range(strokes)]
    return picture([curve(hand, *knots) for knots in points], hand)

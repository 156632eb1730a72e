"""Drawings that are no digits: some to train a model's doubt on, others, never trained on, to measure it."""

import gzip
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path as File
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.datasets import DataError, Images, Labelled, read_idx
from training.strokes.curves import Path, curve
from training.strokes.pen import picture

OUTLIER: Final = -1
"""The class of a picture that is no digit."""

Part = Literal["train", "validation", "test"]

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
# Letters unlike any digit in either case, as the classes of training.datasets.emnist.
UNLIKE_DIGITS: Final = tuple(ord(letter) - ord("A") + 10 for letter in "EHKMNWX")


@dataclass(frozen=True, slots=True)
class Doodle:
    """A Quick, Draw! drawing: its word and its strokes, one high."""

    word: str
    paths: list[Path]


def part_of(word: str) -> Part:
    """Which part a Quick, Draw! word belongs to: half of the words train, the others validate or test."""
    place = zlib.crc32(word.encode()) % 10
    return "train" if place < 5 else "validation" if place < 7 else "test"


def quickdraw(data: File, part: Part) -> list[Doodle]:
    """Drawings of one part of the words, from ``data/drawings`` (Google, CC BY 4.0).

    Training leaves out ``LIKE_DIGITS``; the other parts only what is ``AMBIGUOUS``.
    """
    left_out = LIKE_DIGITS if part == "train" else AMBIGUOUS
    source = _find(data / "drawings" / "quickdraw-raw-strokes.ndjson.gz", "https://quickdraw.withgoogle.com/data")
    doodles = []
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for text in lines:
            drawing = json.loads(text)
            if drawing["word"] in left_out or part_of(drawing["word"]) != part:
                continue
            paths = [np.array(stroke[:2], dtype=np.float64).T for stroke in drawing["drawing"]]
            points = np.concatenate(paths)
            extent = max(float((points.max(axis=0) - points.min(axis=0)).max()), 1.0)
            doodles.append(Doodle(drawing["word"], [(path - points.min(axis=0)) / extent for path in paths]))
    return doodles


def omniglot(data: File, archive: str) -> Images:
    """Characters of the alphabets other than Latin in one archive of Omniglot (Lake et al., 2015): ``uint8[N, 105, 105]``.

    ``archive`` is ``images_background_small1`` or ``images_background_small2``.
    """
    source = _find(data / "drawings" / "omniglot" / f"{archive}.zip", "https://github.com/brendenlake/omniglot")
    with zipfile.ZipFile(source) as files:
        names = [name for name in sorted(files.namelist()) if name.endswith(".png") and "/Latin/" not in name]
        return np.stack([np.asarray(Image.open(io.BytesIO(files.read(name))).convert("L")) for name in names])


def fashion(data: File, split: Literal["train", "t10k"], count: int, seed: int) -> Images:
    """``count`` pictures of Fashion-MNIST (Xiao et al., 2017) chosen at random: ``uint8[count, 28, 28]``."""
    home = "https://github.com/zalandoresearch/fashion-mnist"
    images = read_idx(_find(data / "fashion-mnist" / f"{split}-images-idx3-ubyte.gz", home))
    return images[np.random.default_rng(seed).permutation(len(images))[:count]]


def letters(pictures: Labelled) -> Images:
    """Those EMNIST letters that look like no digit: ``uint8[N, 28, 28]``."""
    return pictures.images[np.isin(pictures.labels, UNLIKE_DIGITS)]


def doodled(doodle: Doodle, hand: np.random.Generator) -> Image.Image:
    """The drawing by another hand and pen: mode "L", white on black."""
    return picture(doodle.paths, hand)


def scribbled(strokes: int, hand: np.random.Generator) -> Image.Image:
    """So many long meaningless curves: mode "L", white on black."""
    points: list[npt.NDArray[np.float64]] = [hand.uniform(0, 1, (int(hand.integers(7, 14)), 2)) for _ in range(strokes)]
    return picture([curve(hand, *knots) for knots in points], hand)


def _find(path: File, home: str) -> File:
    if not path.is_file():
        raise DataError(f"{path} is missing. Anyone gets it from {home}.")
    return path

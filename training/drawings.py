"""The drawings people made: Quick, Draw! strokes, hand-drawn shapes, the alphabets of Omniglot."""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as File
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.datasets import DataError, Images
from training.splits import Part, part_of
from training.strokes.curves import Path

SHAPES: Final = ("rectangle", "triangle")
"""Kinds of hand-drawn shapes that are no letter: an ellipse is an O, and the "other" ones hold letters."""
ALPHABETS: Final = ("Balinese", "Japanese_(katakana)", "Korean", "Sanskrit", "Tagalog")
"""Alphabets of Omniglot that share few signs with ours; Greek and Early Aramaic share most."""
# Characters of these alphabets that look like a letter or a digit of ours, chosen by eye.
ALIKE: Final = {
    "Balinese": {5, 14, 15, 22, 23},
    "Japanese_(katakana)": {2, 4, 8, 9, 13, 14, 15, 19, 20, 22, 24, 26, 27, 28, 33, 36, 37, 39, 41, 42, 43, 45, 46, 47},
    "Korean": {1, 2, 3, 5, 9, 14, 16, 19, 20, 21, 22, 24, 25, 31, 33, 37, 38},
    "Sanskrit": {11, 27, 37},
    "Tagalog": {3, 4, 8, 15, 16},
}


@dataclass(frozen=True, slots=True)
class Doodle:
    """A Quick, Draw! drawing: its word, its key, and its strokes, one high."""

    word: str
    key: str
    paths: list[Path]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawings ``uint8[N, H, W]``, dark on light, who made each, and what it is."""

    images: Images
    people: list[str]
    kinds: list[str]

    def by(self, part: Part) -> "Drawn":
        """What the people of one part drew."""
        places = [place for place, person in enumerate(self.people) if part_of(person) == part]
        return self.take(np.array(places, dtype=np.int64))

    def take(self, index: npt.NDArray[np.int64]) -> "Drawn":
        """The chosen drawings, in the order given."""
        return Drawn(self.images[index], [self.people[i] for i in index], [self.kinds[i] for i in index])


@lru_cache(maxsize=1)
def quickdraw(data: File) -> list[Doodle]:
    """All Quick, Draw! drawings of ``data/drawings`` (Google, CC BY 4.0)."""
    source = find(data / "drawings" / "quickdraw-raw-strokes.ndjson.gz", "https://quickdraw.withgoogle.com/data")
    with _readable(source), gzip.open(source, "rt", encoding="utf-8") as lines:
        if doodles := [_doodle(json.loads(line)) for line in lines]:
            return doodles
        raise ValueError("it is empty")


@lru_cache(maxsize=1)
def shapes(data: File) -> Drawn:
    """Rectangles and triangles of the hand-drawn shapes, ``uint8[N, 70, 70]`` (F. Robert, CC BY 4.0)."""
    home = "https://github.com/frobertpixto/hand-drawn-shapes-dataset"
    source = find(data / "drawings" / "hand-drawn-shapes-70x70.npz", home)
    with _readable(source), np.load(source) as file:
        kinds = file["categories"][file["labels"]]
        chosen = np.isin(kinds, SHAPES)
        return Drawn(file["images"][chosen], file["users"][chosen].tolist(), kinds[chosen].tolist())


@lru_cache(maxsize=4)
def omniglot(data: File, archive: str) -> Drawn:
    """Characters of every alphabet but Latin in one archive of Omniglot (Lake et al., 2015): ``uint8[N, 105, 105]``.

    ``archive`` is ``images_background_small1`` or ``images_background_small2``; kinds are ``ALPHABET/NUMBER``, people are the
    twenty who drew each character.
    """
    source = find(data / "drawings" / "omniglot" / f"{archive}.zip", "https://github.com/brendenlake/omniglot")
    images, people, kinds = [], [], []
    with _readable(source), zipfile.ZipFile(source) as files:
        for name in sorted(files.namelist()):
            match = re.search(r"/([^/]+)/character(\d+)/\d+_(\d+)\.png$", name)
            if match and match[1] != "Latin":
                images.append(np.asarray(Image.open(io.BytesIO(files.read(name))).convert("L")))
                people.append(match[3])
                kinds.append(f"{match[1]}/{match[2]}")
    return Drawn(np.stack(images), people, kinds)


def signs(data: File) -> Drawn:
    """Characters of Omniglot that are neither letters nor digits of ours."""
    parts = [omniglot(data, archive) for archive in ("images_background_small1", "images_background_small2")]
    images, people, kinds = [], [], []
    for part in parts:
        for image, person, kind in zip(part.images, part.people, part.kinds, strict=True):
            alphabet, number = kind.split("/")
            if alphabet in ALPHABETS and int(number) not in ALIKE[alphabet]:
                images.append(image)
                people.append(person)
                kinds.append(kind)
    return Drawn(np.stack(images), people, kinds)


def find(path: File, home: str) -> File:
    """The file, or a ``DataError`` that says where anyone gets it."""
    if not path.is_file():
        raise DataError(f"{path} is missing. Anyone gets it from {home}.")
    return path


@contextmanager
def _readable(path: File) -> Iterator[None]:
    """What a broken file makes of itself while it is read, as a ``DataError`` that names it."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {type(error).__name__}: {error}. Fetch the file again.") from error


def _doodle(drawing: dict[str, object]) -> Doodle:
    strokes = drawing["drawing"]
    assert isinstance(strokes, list)
    paths: list[npt.NDArray[np.float64]] = [np.array(stroke[:2], dtype=np.float64).T for stroke in strokes]
    points = np.concatenate(paths)
    extent = max(float((points.max(axis=0) - points.min(axis=0)).max()), 1.0)
    moved = [(path - points.min(axis=0)) / extent for path in paths]
    return Doodle(str(drawing["word"]), str(drawing["key_id"]), moved)

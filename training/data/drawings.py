"""Loads data sets of drawings: Quick, Draw! strokes, hand-drawn shapes and Omniglot characters."""

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

from training.data.datasets import DataError, Images
from training.data.splits import Split, split_of_key
from training.rendering.strokes.curves import Path

SHAPES: Final = ("rectangle", "triangle")
"""Hand-drawn shapes that cannot be read as a letter: an ellipse is an O, and the class "other" contains letters."""
ALPHABETS: Final = ("Balinese", "Japanese_(katakana)", "Korean", "Sanskrit", "Tagalog")
"""Omniglot alphabets with few characters that look Latin; Greek and Early Aramaic have many."""
# Characters of these alphabets that look like a Latin letter or a digit, selected by eye.
LATIN_LOOKALIKES: Final = {
    "Balinese": {5, 14, 15, 22, 23},
    "Japanese_(katakana)": {2, 4, 8, 9, 13, 14, 15, 19, 20, 22, 24, 26, 27, 28, 33, 36, 37, 39, 41, 42, 43, 45, 46, 47},
    "Korean": {1, 2, 3, 5, 9, 14, 16, 19, 20, 21, 22, 24, 25, 31, 33, 37, 38},
    "Sanskrit": {11, 27, 37},
    "Tagalog": {3, 4, 8, 15, 16},
}


@dataclass(frozen=True, slots=True)
class Doodle:
    """A Quick, Draw! drawing: its word, its key and its strokes, scaled to a longer side of 1."""

    word: str
    key: str
    paths: list[Path]


@dataclass(frozen=True, slots=True)
class DrawingSet:
    """Drawings ``uint8[N, H, W]``, dark on light, with their authors and categories."""

    images: Images
    authors: list[str]
    categories: list[str]

    def in_split(self, split: Split) -> "DrawingSet":
        """Select the drawings whose author belongs to a split."""
        indices = [index for index, author in enumerate(self.authors) if split_of_key(author) == split]
        return self.take(np.array(indices, dtype=np.int64))

    def take(self, index: npt.NDArray[np.int64]) -> "DrawingSet":
        """Select drawings by index, in the order given."""
        return DrawingSet(self.images[index], [self.authors[i] for i in index], [self.categories[i] for i in index])


@lru_cache(maxsize=1)
def quickdraw(data: File) -> list[Doodle]:
    """Load all Quick, Draw! drawings of ``data/drawings`` (Google, CC BY 4.0)."""
    source = require_file(data / "drawings" / "quickdraw-raw-strokes.ndjson.gz", "https://quickdraw.withgoogle.com/data")
    with _as_data_error(source), gzip.open(source, "rt", encoding="utf-8") as lines:
        if doodles := [_doodle(json.loads(line)) for line in lines]:
            return doodles
        raise ValueError("it is empty")


@lru_cache(maxsize=1)
def shapes(data: File) -> DrawingSet:
    """Load the rectangles and triangles of the hand-drawn shapes, ``uint8[N, 70, 70]`` (F. Robert, CC BY 4.0)."""
    url = "https://github.com/frobertpixto/hand-drawn-shapes-dataset"
    source = require_file(data / "drawings" / "hand-drawn-shapes-70x70.npz", url)
    with _as_data_error(source), np.load(source) as file:
        categories = file["categories"][file["labels"]]
        selected = np.isin(categories, SHAPES)
        return DrawingSet(file["images"][selected], file["users"][selected].tolist(), categories[selected].tolist())


@lru_cache(maxsize=4)
def omniglot(data: File, archive: str) -> DrawingSet:
    """Load one archive of Omniglot (Lake et al., 2015), all alphabets but Latin: ``uint8[N, 105, 105]``.

    ``archive`` is ``images_background_small1`` or ``images_background_small2``; categories are ``ALPHABET/NUMBER``, authors
    the twenty people who drew each character.
    """
    source = require_file(data / "drawings" / "omniglot" / f"{archive}.zip", "https://github.com/brendenlake/omniglot")
    images, authors, categories = [], [], []
    with _as_data_error(source), zipfile.ZipFile(source) as files:
        for name in sorted(files.namelist()):
            match = re.search(r"/([^/]+)/character(\d+)/\d+_(\d+)\.png$", name)
            if match and match[1] != "Latin":
                images.append(np.asarray(Image.open(io.BytesIO(files.read(name))).convert("L")))
                authors.append(match[3])
                categories.append(f"{match[1]}/{match[2]}")
    return DrawingSet(np.stack(images), authors, categories)


def symbols(data: File) -> DrawingSet:
    """Load the characters of Omniglot that look like no Latin letter and no digit."""
    archives = [omniglot(data, archive) for archive in ("images_background_small1", "images_background_small2")]
    images, authors, categories = [], [], []
    for archive in archives:
        for image, author, category in zip(archive.images, archive.authors, archive.categories, strict=True):
            alphabet, number = category.split("/")
            if alphabet in ALPHABETS and int(number) not in LATIN_LOOKALIKES[alphabet]:
                images.append(image)
                authors.append(author)
                categories.append(category)
    return DrawingSet(np.stack(images), authors, categories)


def require_file(path: File, url: str) -> File:
    """Return the path if the file exists.

    Raises:
        DataError: it does not; the message says where to download it.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing. Download it from {url}.")
    return path


@contextmanager
def _as_data_error(path: File) -> Iterator[None]:
    """Turn the exceptions of reading a broken file into a ``DataError`` that names it."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {type(error).__name__}: {error}. Download the file again.") from error


def _doodle(drawing: dict[str, object]) -> Doodle:
    strokes = drawing["drawing"]
    assert isinstance(strokes, list)
    paths: list[npt.NDArray[np.float64]] = [np.array(stroke[:2], dtype=np.float64).T for stroke in strokes]
    points = np.concatenate(paths)
    extent = max(float((points.max(axis=0) - points.min(axis=0)).max()), 1.0)
    scaled = [(path - points.min(axis=0)) / extent for path in paths]
    return Doodle(str(drawing["word"]), str(drawing["key_id"]), scaled)

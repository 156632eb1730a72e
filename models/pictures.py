"""Finds labelled pictures: a folder per label (label/name.png), as training takes them, with train/ and test/ above or not."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from models.card import CardError
from preprocessing import ImageLimits

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
SPLITS: Final = ("train", "training", "val", "valid", "validation", "test", "testing")
IMAGE_LIMITS: Final = ImageLimits(pixels=16_777_216)
MIN_IMAGES: Final = 20


def paths_by_label(folder: Path, labels: Sequence[str]) -> Iterator[list[Path]]:
    """The image files of each label, sorted by the hash of their content, so that names do not matter; equal ones count once.

    Raises:
        CardError: folders that are not labels, or one picture under two labels.
    """
    if not folder.is_dir():
        raise CardError(f"{folder}: is not a folder of pictures (label/name.png)")
    roots = [path for path in _folders(folder) if path.name.lower() in SPLITS and path.name not in labels] or [folder]
    unknown = sorted({path.name for root in roots for path in _folders(root)} - set(labels))
    if unknown:
        raise CardError(f"{folder}: holds the folders {', '.join(unknown)}, which are not labels of the model")
    seen: dict[str, Path] = {}
    for label in labels:
        found: dict[str, Path] = {}
        for path in sorted(path for root in roots for path in (root / label).glob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                if other := seen.get(digest):
                    raise CardError(f"{folder}: {other.parent.name}/{other.name} and {label}/{path.name} are the same picture")
                found[digest] = path
        seen |= found
        yield [path for _, path in sorted(found.items())]


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]

"""Reads folders of labelled pictures, label/name.png, with or without train/, val/ and test/ above; for import and training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from models.card import CardError
from models.near_duplicates import first_of_each, thumbnail
from preprocessing import ImageError, ImageLimits, decode

Split = Literal["train", "val", "test"]

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
SPLITS: Final[dict[str, Split]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
IMAGE_LIMITS: Final = ImageLimits(pixels=50_000_000, photo_pixels=50_000_000, side=30_000)
MIN_IMAGES: Final = 20
# Near duplicates are searched among so many pictures; further ones, those of train/ first, are compared by their bytes only.
MAX_COMPARED: Final = 10_000
COLOUR_SIDE: Final = 64


class Picture(NamedTuple):
    """The file of a picture, the index of its label, and the split whose folder it lies in, if there are such folders."""

    path: Path
    label: int
    split: Split | None


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """The distinct readable pictures of a folder, sorted by label and then by content, and remarks on those left out."""

    folder: Path
    labels: list[str]
    pictures: list[Picture]
    remarks: list[str]


def read_folder(
    folder: Path, labels: Sequence[str] | None = None, preferred: Sequence[Split | None] = ("train", None, "val", "test")
) -> LabelledFolder:
    """Find the pictures in ``folder``; its subfolders are ``labels``, or define them. Folder names may be percent-encoded.

    A picture that is there several times, saved again or resized, counts once, in the first of the ``preferred`` splits that
    has it. Pictures that look the same under two labels are left out, and so are files that cannot be read.

    Raises:
        CardError: it is no folder, has subfolders that are not labels, two subfolders of one label, or files with equal bytes
            under two labels.
    """
    if not folder.is_dir():
        raise CardError(f"{folder}: is not a folder of pictures (label/name.png)")
    roots, remarks = _roots(folder, labels)
    folders = [(split, _label_folders(root, labels)) for root, split in roots]
    known = list(labels) if labels is not None else sorted({label for _, found in folders for label in found})
    unknown = sorted({label for _, found in folders for label in found} - set(known))
    if unknown:
        raise CardError(f"{folder}: holds the folders {', '.join(unknown)}, which are not labels of the model")
    pictures = [
        Picture(path, known.index(label), split)
        for split, found in folders
        for label, inner in found.items()
        for path in sorted(inner.iterdir())
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    digests = {picture.path: hashlib.sha256(picture.path.read_bytes()).hexdigest() for picture in pictures}
    pictures.sort(key=lambda picture: (picture.split == "train", digests[picture.path]))
    _require_one_label(folder, pictures, digests)
    groups, unreadable = _groups(pictures, digests)
    kept, left_out = _distinct(folder, groups, preferred)
    if unreadable:
        path, error = unreadable[0]
        example = f"{_name(folder, path)}: {error}"
        remarks.append(f"{len(unreadable)} pictures cannot be read and are left out, such as {example}")
    kept.sort(key=lambda picture: (picture.label, digests[picture.path]))
    return LabelledFolder(folder, known, kept, [*remarks, *left_out])


def folder_labels(folder: Path) -> list[str]:
    """The labels that the subfolders of a folder define, in alphabetical order, as ImageFolder and Keras number them."""
    return sorted({label for root, _ in _roots(folder, None)[0] for label in _label_folders(root, None)})


def unseen_pictures(folder: Path, labels: Sequence[str]) -> LabelledFolder:
    """The pictures to choose, calibrate and measure with: without those of train/, unless too few would be left.

    Raises:
        CardError: as ``read_folder``.
    """
    found = read_folder(folder, labels)
    unseen = [picture for picture in found.pictures if picture.split != "train"]
    seen = len(found.pictures) - len(unseen)
    if not seen:
        return found
    if not is_enough(fitting_half(unseen)):
        remark = f"{seen} pictures are of train/: if the model was trained on them, accuracy and the other metrics are too good"
        return LabelledFolder(folder, found.labels, found.pictures, [*found.remarks, remark])
    remark = f"{seen} pictures of train/ are left out, because the model may have been trained on them; {len(unseen)} are used"
    return LabelledFolder(folder, found.labels, unseen, [*found.remarks, remark])


def fitting_half(pictures: Sequence[Picture]) -> npt.NDArray[np.bool_]:
    """Which pictures are for fitting, every second of each label; the others are for measuring. ``bool[N]``."""
    fitting = np.zeros(len(pictures), dtype=np.bool_)
    labels = np.array([picture.label for picture in pictures], dtype=np.int64)
    for label in np.unique(labels):
        indices = np.flatnonzero(labels == label)
        first = int(2 * fitting.sum() > (labels < label).sum())  # an odd number: the extra one goes to the smaller half
        fitting[indices[first::2]] = True
    return fitting


def is_enough(fitting: npt.NDArray[np.bool_]) -> bool:
    """Whether there are enough pictures in either half."""
    return int(min(fitting.sum(), (~fitting).sum())) >= MIN_IMAGES // 2


def _roots(folder: Path, labels: Sequence[str] | None) -> tuple[list[tuple[Path, Split | None]], list[str]]:
    """The folders whose subfolders are labels, with the split of each, and remarks on folders beside them."""
    subfolders = _subfolders(folder)
    named = [path for path in subfolders if path.name.lower() in SPLITS and path.name not in (labels or ())]
    splits = [path for path in named if _subfolders(path)]
    if not splits:
        return [(folder, SPLITS.get(folder.resolve().name.lower()))], []
    beside = [path.name for path in subfolders if path not in splits]
    remarks = [f"{', '.join(beside)}: left out, because only {', '.join(path.name for path in splits)} hold folders of labels"]
    return [(path, SPLITS[path.name.lower()]) for path in splits], remarks if beside else []


def _label_folders(root: Path, labels: Sequence[str] | None) -> dict[str, Path]:
    """The folder of each label; names that are not labels as they are, are percent-decoded."""
    found: dict[str, Path] = {}
    for path in _subfolders(root):
        label = path.name if path.name in (labels or ()) else unquote(path.name)
        if other := found.get(label):
            raise CardError(f"{other} and {path} are the same label. Move their images into one folder.")
        found[label] = path
    return found


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _require_one_label(folder: Path, pictures: Sequence[Picture], digests: dict[Path, str]) -> None:
    seen: dict[str, Picture] = {}
    for picture in pictures:
        other = seen.setdefault(digests[picture.path], picture)
        if other.label != picture.label:
            raise CardError(f"{folder}: {_name(folder, other.path)} and {_name(folder, picture.path)} are the same picture")


def _groups(pictures: Sequence[Picture], digests: dict[Path, str]) -> tuple[list[list[Picture]], list[tuple[Path, ImageError]]]:
    """The readable pictures, those together that are the same one; and those that cannot be read."""
    once: dict[str, list[Picture]] = {}
    for picture in pictures:
        once.setdefault(digests[picture.path], []).append(picture)
    thumbnails, readable = [], []
    unreadable: list[tuple[Path, ImageError]] = []
    for copies in list(once.values())[:MAX_COMPARED]:
        path = copies[0].path
        try:
            thumbnails.append(thumbnail(decode(path.read_bytes(), IMAGE_LIMITS, COLOUR_SIDE)))
            readable.append(copies)
        except ImageError as error:
            unreadable.append((path, error))
    groups: dict[int, list[Picture]] = {}
    if thumbnails:
        for first, copies in zip(first_of_each(np.stack(thumbnails)).tolist(), readable, strict=True):
            groups.setdefault(first, []).extend(copies)
    return [*groups.values(), *list(once.values())[MAX_COMPARED:]], unreadable


def _distinct(
    folder: Path, groups: Sequence[Sequence[Picture]], preferred: Sequence[Split | None]
) -> tuple[list[Picture], list[str]]:
    """One picture of each group, none where its labels differ, and remarks on those left out."""
    ambiguous = [group for group in groups if len({picture.label for picture in group}) > 1]
    certain = [group for group in groups if len({picture.label for picture in group}) == 1]
    kept = [min(group, key=lambda picture: preferred.index(picture.split)) for group in certain]
    repeated = [group for group in certain if len(group) > 1]
    remarks = []
    if repeated:
        count = sum(map(len, repeated)) - len(repeated)
        example = " and ".join(_name(folder, picture.path) for picture in repeated[0][:2])
        remarks.append(f"{count} pictures repeat another, perhaps resized or saved again, and are left out, such as {example}")
    if ambiguous:
        count, one = sum(map(len, ambiguous)), ambiguous[0][0]
        other = next(picture for picture in ambiguous[0] if picture.label != one.label)
        example = f"{_name(folder, one.path)} and {_name(folder, other.path)}"
        remarks.append(f"{count} pictures look the same under two labels and are left out, such as {example}")
    return kept, remarks


def _name(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder))

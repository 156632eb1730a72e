"""Splits data into training, validation and test sets that share no image: by author, by key or at random."""

import zlib
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from training.data.datasets import DataError, Images, LabelledImages, Labels
from training.data.duplicates import near_duplicates

Split = Literal["train", "validation", "test"]

# Of ten keys, how many go to each of the held-out splits.
VALIDATION_TENTHS: Final = 1
TEST_TENTHS: Final = 2


def split_of_key(key: str) -> Split:
    """Assign an author or a drawing to a split by the hash of its key: 70 % train, 10 % validation, 20 % test."""
    place = zlib.crc32(key.encode()) % 10
    return "test" if place < TEST_TENTHS else "validation" if place < TEST_TENTHS + VALIDATION_TENTHS else "train"


def sample_per_class(labels: Labels, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Sample ``count`` indices of every class in ``labels`` ``int64[N]``; a class with fewer members repeats some."""
    rng = np.random.default_rng(seed)
    selected = []
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        selected.append(np.resize(indices, count))
    return np.concatenate(selected)


def random_split(whole: LabelledImages, counts: tuple[int, ...], seed: int) -> list[LabelledImages]:
    """Split images at random: the rest first, then for each of ``counts`` a set with that many images of every class.

    Near duplicates are kept in one set only, see ``without_duplicates``.
    """
    return [whole.take(indices) for indices in split_indices(whole, counts, seed)]


def split_indices(whole: LabelledImages, counts: tuple[int, ...], seed: int) -> list[Labels]:
    """Split images as ``random_split`` does, and return the indices of each set in ``whole``.

    Raises:
        DataError: a class has too few images.
    """
    rng = np.random.default_rng(seed)
    labels = np.unique(whole.labels)
    fewest = int(min((whole.labels == label).sum() for label in labels))
    if sum(counts) >= fewest:
        raise DataError(f"Cannot hold out {sum(counts)} images of each class: one class has only {fewest}.")
    parts: list[list[Labels]] = [[] for _ in range(len(counts) + 1)]
    for label in labels:
        indices = rng.permutation(np.flatnonzero(whole.labels == label))
        for part, some in zip(parts, np.split(indices, np.cumsum(counts)), strict=True):
            part.append(some)
    taken = [np.sort(np.concatenate(part)) for part in parts]
    return unique_indices(whole, [taken[-1], *taken[:-1]])


def unique_indices(whole: LabelledImages, parts: list[Labels]) -> list[Labels]:
    """Remove from each set of indices the images that are, up to noise, in a later one; the last set stays complete."""
    unique = _unique([whole.images[indices] for indices in parts])
    return [indices[keep] for indices, keep in zip(parts, unique, strict=True)]


def without_duplicates(parts: list[LabelledImages]) -> list[LabelledImages]:
    """Remove from each set the images that are, up to noise, in a later one; the last set stays complete."""
    return [part.take(keep) for part, keep in zip(parts, _unique([part.images for part in parts]), strict=True)]


def _unique(parts: list[Images]) -> list[npt.NDArray[np.bool_]]:
    """Mask, for each set, the images that are in no later one."""
    masks = [np.ones(len(parts[-1]), dtype=np.bool_)]
    later = parts[-1]
    for part in reversed(parts[:-1]):
        keep = ~near_duplicates(part, later)
        masks.insert(0, keep)
        later = np.concatenate([later, part[keep]])
    return masks

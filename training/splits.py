"""Splits: by person, key or chance, and never the same picture on two sides."""

import zlib
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from training.copies import near_copies
from training.datasets import DataError, Images, Labelled, Labels

Part = Literal["train", "validation", "test"]

# Of ten keys, how many go to each part that is held out.
VALIDATING: Final = 1
TESTING: Final = 2


def part_of(key: str) -> Part:
    """The part of a person or a drawing: seven in ten train, one validates, two test, whatever else there is."""
    place = zlib.crc32(key.encode()) % 10
    return "test" if place < TESTING else "validation" if place < TESTING + VALIDATING else "train"


def of_each_class(labels: Labels, count: int, seed: int) -> npt.NDArray[np.int64]:
    """``count`` places of every class of ``labels`` ``int64[N]``, chosen by ``seed``; a smaller class gives some twice."""
    hand = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        places = hand.permutation(np.flatnonzero(labels == label))
        chosen.append(np.resize(places, count))
    return np.concatenate(chosen)


def held_out(whole: Labelled, counts: tuple[int, ...], seed: int) -> list[Labelled]:
    """The pictures split by chance: as many of every class as each of ``counts`` says, and the rest, which comes first.

    Pictures that are the same but for noise stay on one side, see ``apart``.
    """
    return [whole.take(places) for places in chosen_places(whole, counts, seed)]


def chosen_places(whole: Labelled, counts: tuple[int, ...], seed: int) -> list[Labels]:
    """As ``held_out``, the places of the pictures in ``whole``."""
    hand = np.random.default_rng(seed)
    labels = np.unique(whole.labels)
    fewest = int(min((whole.labels == label).sum() for label in labels))
    if sum(counts) >= fewest:
        raise DataError(f"{sum(counts)} pictures of each class cannot be held out: one has only {fewest}.")
    parts: list[list[Labels]] = [[] for _ in range(len(counts) + 1)]
    for label in labels:
        places = hand.permutation(np.flatnonzero(whole.labels == label))
        for part, some in zip(parts, np.split(places, np.cumsum(counts)), strict=True):
            part.append(some)
    taken = [np.sort(np.concatenate(part)) for part in parts]
    order = [taken[-1], *taken[:-1]]
    kept = _apart([whole.images[places] for places in order])
    return [places[keep] for places, keep in zip(order, kept, strict=True)]


def apart(parts: list[Labelled]) -> list[Labelled]:
    """The parts, each without the pictures that are, but for noise, in a later one; the last part stays whole."""
    return [part.take(keep) for part, keep in zip(parts, _apart([part.images for part in parts]), strict=True)]


def _apart(parts: list[Images]) -> list[npt.NDArray[np.bool_]]:
    kept = [np.ones(len(parts[-1]), dtype=np.bool_)]
    later = parts[-1]
    for part in reversed(parts[:-1]):
        keep = ~near_copies(part, later)
        kept.insert(0, keep)
        later = np.concatenate([later, part[keep]])
    return kept

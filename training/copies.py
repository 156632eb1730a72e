"""The same picture twice: found by a perceptual hash, and told from mere likeness by its pixels."""

from typing import Final

import numpy as np
import numpy.typing as npt

from training.datasets import Images

Hashes = npt.NDArray[np.uint64]

# Bits of 64 in which the hashes of one picture, saved twice, may differ, and the share of its levels that may have moved.
BITS: Final = 6
MOVED: Final = 0.1
SIDE: Final = 8
BLOCK: Final = 512


def perceptual_hash(images: Images) -> Hashes:
    """64 bits of each picture ``uint8[N, H, W]``: which of its lowest frequencies lie above their median (pHash).

    The discrete cosine transform of the picture, its 8 lowest frequencies along either side but the mean; see Zauner,
    "Implementation and benchmarking of perceptual image hash functions", 2010.
    """
    height, width = images.shape[1:]
    low = _cosines(height) @ images.astype(np.float32) @ _cosines(width).T
    frequencies = low.reshape(len(images), SIDE * SIDE)
    frequencies[:, 0] = np.median(frequencies[:, 1:], axis=1)
    bits = frequencies > np.median(frequencies, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def near_copies(images: Images, others: Images) -> npt.NDArray[np.bool_]:
    """Which of ``images`` (``uint8[N, H, W]``) are, but for noise, among ``others`` (``uint8[M, H, W]``): ``bool[N]``."""
    found = np.zeros(len(images), dtype=np.bool_)
    for first, _ in pairs(images, others):
        found[first] = True
    return found


def pairs(images: Images, others: Images) -> list[tuple[int, int]]:
    """Every pair of one of ``images`` and one of ``others`` that are the same picture but for noise."""
    if len(images) == 0 or len(others) == 0:
        return []
    images, others = _on_black(images), _on_black(others)
    hashes, known = perceptual_hash(images), perceptual_hash(others)
    found: list[tuple[int, int]] = []
    for start in range(0, len(images), BLOCK):
        close = np.bitwise_count(hashes[start : start + BLOCK, None] ^ known[None]) <= BITS
        first, second = np.nonzero(close)
        same = moved(images[start + first], others[second]) <= MOVED
        found += zip((start + first[same]).tolist(), second[same].tolist(), strict=True)
    return found


def moved(images: Images, others: Images) -> npt.NDArray[np.float64]:
    """The share of their light that two pictures ``uint8[N, H, W]`` do not have in common, 0 for equal ones: ``float64[N]``."""
    one, two = images.astype(np.int32), others.astype(np.int32)
    differing = np.abs(one - two).sum(axis=(1, 2), dtype=np.int64)
    light = np.maximum(one, two).sum(axis=(1, 2), dtype=np.int64)
    return np.asarray(differing / np.maximum(light, 1))


def _on_black(images: Images) -> Images:
    """The pictures on light ground as their negatives, so that what is drawn is what is compared."""
    edges = np.concatenate((images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]), axis=1)
    light = np.median(edges, axis=1) > 127
    return np.where(light[:, None, None], 255 - images, images)


def _cosines(length: int) -> npt.NDArray[np.float32]:
    """The lowest rows of the cosine transform: ``float32[8, length]``."""
    places = (np.arange(length) + 0.5) / length
    return np.cos(np.pi * np.arange(SIDE)[:, None] * places[None]).astype(np.float32)

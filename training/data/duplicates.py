"""Finds duplicate images: a perceptual hash selects candidates, and their pixels decide."""

from typing import Final

import numpy as np
import numpy.typing as npt

from training.data.datasets import Images

Hashes = npt.NDArray[np.uint64]

# Bits of 64 in which the hashes of one image, saved twice, may differ, and the share of its light that may.
MAX_HASH_DISTANCE: Final = 6
MAX_DIFFERENCE: Final = 0.1
HASH_SIDE: Final = 8
BLOCK: Final = 512


def perceptual_hash(images: Images) -> Hashes:
    """Hash each image ``uint8[N, H, W]`` to 64 bits: which of its lowest frequencies lie above their median (pHash).

    The discrete cosine transform of the image, its 8 lowest frequencies along either side but the mean; see Zauner,
    "Implementation and benchmarking of perceptual image hash functions", 2010.
    """
    height, width = images.shape[1:]
    low = _cosines(height) @ images.astype(np.float32) @ _cosines(width).T
    frequencies = low.reshape(len(images), HASH_SIDE * HASH_SIDE)
    frequencies[:, 0] = np.median(frequencies[:, 1:], axis=1)
    bits = frequencies > np.median(frequencies, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def near_duplicates(images: Images, others: Images) -> npt.NDArray[np.bool_]:
    """Tell which of ``images`` ``uint8[N, H, W]`` are, up to noise, among ``others`` ``uint8[M, H, W]``: ``bool[N]``."""
    found = np.zeros(len(images), dtype=np.bool_)
    for first, _ in duplicate_pairs(images, others):
        found[first] = True
    return found


def duplicate_pairs(images: Images, others: Images) -> list[tuple[int, int]]:
    """List the index pairs of ``images`` and ``others`` that are the same image up to noise."""
    if len(images) == 0 or len(others) == 0:
        return []
    images, others = _on_black(images), _on_black(others)
    hashes, other_hashes = perceptual_hash(images), perceptual_hash(others)
    found: list[tuple[int, int]] = []
    for start in range(0, len(images), BLOCK):
        close = np.bitwise_count(hashes[start : start + BLOCK, None] ^ other_hashes[None]) <= MAX_HASH_DISTANCE
        first, second = np.nonzero(close)
        same = difference(images[start + first], others[second]) <= MAX_DIFFERENCE
        found += zip((start + first[same]).tolist(), second[same].tolist(), strict=True)
    return found


def difference(images: Images, others: Images) -> npt.NDArray[np.float64]:
    """Share of their light in which two images ``uint8[N, H, W]`` differ, from 0 (equal) to 1: ``float64[N]``."""
    one, two = images.astype(np.int32), others.astype(np.int32)
    differing = np.abs(one - two).sum(axis=(1, 2), dtype=np.int64)
    light = np.maximum(one, two).sum(axis=(1, 2), dtype=np.int64)
    return np.asarray(differing / np.maximum(light, 1))


def _on_black(images: Images) -> Images:
    """Invert the images whose edge is light, so that ink is compared with ink."""
    edges = np.concatenate((images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]), axis=1)
    light = np.median(edges, axis=1) > 127
    return np.where(light[:, None, None], 255 - images, images)


def _cosines(length: int) -> npt.NDArray[np.float32]:
    """The lowest rows of the cosine transform: ``float32[8, length]``."""
    places = (np.arange(length) + 0.5) / length
    return np.cos(np.pi * np.arange(HASH_SIDE)[:, None] * places[None]).astype(np.float32)

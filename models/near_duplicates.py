"""Finds pictures that are the same one, saved again in another format or resized, by thumbnails of their light and colour."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.photo import to_mode

Thumbnails = npt.NDArray[np.float32]

LIGHT_SIDE: Final = 16
# Formats such as JPEG store colour at half the resolution.
COLOUR_SIDE: Final = 8
LIGHT_VALUES: Final = LIGHT_SIDE**2
# Two pictures are the same if they differ by at most this share of their contrast. With 0.1, 99 of 100 pictures of MNIST and
# Fashion-MNIST are found again as JPEG or enlarged, and of 1,000 pictures of ones or trousers 2 to 10 are taken for another.
MAX_DIFFERENCE: Final = 0.1
# Below this contrast, in levels of 255, pictures are compared as if they had it.
LEAST_CONTRAST: Final = 10.0
BLOCK: Final = 512


def thumbnail(image: Image.Image) -> Thumbnails:
    """The light of a decoded picture in 16x16 pixels and its two colour differences in 8x8, ``float32[384]``.

    Each part is divided by the square root of its size, so that the distance of two thumbnails is a difference in levels.
    """
    light, *colours = to_mode(image, "RGB").convert("YCbCr").split()
    parts = [(light, LIGHT_SIDE), *((colour, COLOUR_SIDE) for colour in colours)]
    scaled = [np.asarray(band.resize((side, side), Image.Resampling.LANCZOS), np.float32) / side for band, side in parts]
    return np.concatenate([part.ravel() for part in scaled])


def first_of_each(thumbnails: Thumbnails) -> npt.NDArray[np.int64]:
    """For each of ``float32[N, 384]`` the index of the first picture that it repeats, or its own: ``int64[N]``."""
    count = len(thumbnails)
    first = np.arange(count)
    squares, contrasts = (thumbnails**2).sum(axis=1), _contrasts(thumbnails)
    for start in range(0, count, BLOCK):
        stop = min(count, start + BLOCK)
        products = thumbnails[start:stop] @ thumbnails[:stop].T
        distances = squares[start:stop, None] + squares[None, :stop] - 2 * products
        limits = MAX_DIFFERENCE * np.maximum(contrasts[start:stop, None], contrasts[None, :stop])
        close = distances <= limits**2
        for index in range(start, stop):
            earlier = np.flatnonzero(close[index - start, :index])
            kept = earlier[first[earlier] == earlier]
            if len(kept):
                first[index] = kept[0]
    return first


def _contrasts(thumbnails: Thumbnails) -> Thumbnails:
    """The standard deviation of light and colour in each picture, in levels: ``float32[N]``."""
    centred = thumbnails.copy()
    middle = LIGHT_VALUES + COLOUR_SIDE**2
    for start, stop in ((0, LIGHT_VALUES), (LIGHT_VALUES, middle), (middle, thumbnails.shape[1])):
        centred[:, start:stop] -= centred[:, start:stop].mean(axis=1, keepdims=True)
    return np.asarray(np.maximum(np.linalg.norm(centred, axis=1), np.float32(LEAST_CONTRAST)))

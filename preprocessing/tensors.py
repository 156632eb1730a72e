"""Frames to the input tensor of a model: normalisation, colour order, layout and element type."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.spec import Colour, InputSpec

Tensor = npt.NDArray[Any]
"""The input of a model, in its element type and layout; of one image, or of a batch."""

# The channel of an RGB or RGBA frame for each channel of the model.
ORDER: Final[dict[Colour, tuple[int, ...]]] = {"grey": (0,), "RGB": (0, 1, 2), "BGR": (2, 1, 0), "RGBA": (0, 1, 2, 3)}
OPAQUE: Final = 255
WHOLE_TYPES: Final = ("uint8", "int8", "int32", "int64")


def tensor(frame: Image.Image | npt.NDArray[np.uint8], spec: InputSpec) -> Tensor:
    """The tensor of a frame: grey, "L" or ``uint8[H,W]``, or in colour, "RGB" or "RGBA".

    A grey frame is repeated for each channel, and is opaque.
    """
    if not isinstance(frame, Image.Image) or frame.mode == "L":
        pixels = np.asarray(frame)
        if spec.channels == 1:
            return normalise(pixels[None] if spec.layout == "NCHW" else pixels[:, :, None], spec)
        planes = [pixels] * spec.channels
        if spec.colour == "RGBA":
            planes[3] = np.full_like(pixels, OPAQUE)
    elif spec.layout != "NCHW" and spec.colour != "BGR":
        return normalise(np.asarray(frame), spec)
    else:
        bands = frame.split()
        planes = [np.asarray(bands[channel]) for channel in ORDER[spec.colour]]
    return normalise(np.stack(planes, axis=0 if spec.layout == "NCHW" else -1), spec)


def normalise(levels: npt.NDArray[Any], spec: InputSpec) -> Tensor:
    """The tensor of levels 0 to 255 in the model's channels: ``[C,H,W]`` for the layout NCHW, ``[H,W,C]`` for all others."""
    first = spec.layout == "NCHW"
    if spec.transposed:
        levels = np.ascontiguousarray(levels.swapaxes(1, 2) if first else levels.swapaxes(0, 1))
    if spec.type in WHOLE_TYPES and _is_unchanged(spec):
        return levels.astype(spec.type, copy=False).reshape(spec.shape)
    if spec.type == "float16" and levels.dtype == np.uint8:
        values = _look_up(levels, spec)
    else:
        values = _convert(_normalise_each(levels, spec) if _differs(spec) else _normalise_alike(levels, spec), spec)
    return np.asarray(values if first else values.reshape(spec.shape))


def _differs(spec: InputSpec) -> bool:
    """Whether the channels differ in mean or standard deviation."""
    return max(len(spec.normalisation.mean), len(spec.normalisation.std)) > 1


def _normalise_alike(levels: npt.NDArray[Any], spec: InputSpec) -> npt.NDArray[np.float32]:
    """Levels normalised by the same mean and standard deviation in each channel."""
    scale, mean, std = spec.normalisation.scale, spec.normalisation.mean, spec.normalisation.std
    values: npt.NDArray[np.float32] = levels * np.float32(scale / (255 * std[0]))
    if mean[0]:
        values -= np.float32(mean[0] / std[0])
    return values


def _normalise_each(levels: npt.NDArray[Any], spec: InputSpec) -> npt.NDArray[np.float32]:
    """Levels normalised by the mean and standard deviation of their channel."""
    factors, offsets = _factors(spec)
    if spec.layout == "NCHW":
        factors, offsets = factors[:, None, None], offsets[:, None, None]
    else:  # one row for all pixels of a line: far faster than rows of three
        levels = levels.reshape(spec.height, spec.width * spec.channels)
        factors, offsets = np.tile(factors, spec.width), np.tile(offsets, spec.width)
    values: npt.NDArray[np.float32] = levels * factors
    values -= offsets
    return values


def _factors(spec: InputSpec) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What the levels of each channel are multiplied by, and what is subtracted then."""
    scale, mean, std = spec.normalisation.scale, spec.normalisation.mean, spec.normalisation.std
    channels = range(spec.channels)
    factors = np.array([scale / (255 * std[channel % len(std)]) for channel in channels], np.float32)
    return factors, np.array([mean[channel % len(mean)] / std[channel % len(std)] for channel in channels], np.float32)


def _convert(values: npt.NDArray[np.float32], spec: InputSpec) -> Tensor:
    """Values in the element type of the model; whole numbers are rounded and limited."""
    if spec.type in WHOLE_TYPES:
        limits = np.iinfo(spec.type)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(spec.type, copy=False)


@lru_cache(maxsize=64)
def _table(spec: InputSpec) -> Tensor:
    """The float16 of each level, ``[C,256]``; ``[1,256]`` where it is the same in all channels."""
    levels = np.arange(256, dtype=np.uint8)
    if not _differs(spec):
        return _convert(_normalise_alike(levels[None], spec), spec)
    factors, offsets = _factors(spec)
    return _convert(levels * factors[:, None] - offsets[:, None], spec)


def _look_up(levels: npt.NDArray[np.uint8], spec: InputSpec) -> Tensor:
    """Normalised levels as float16 by a table, more than twice as fast as converting each value."""
    table = _table(spec)
    if len(table) == 1:
        return np.asarray(table[0].take(levels))
    axis = 0 if spec.layout == "NCHW" else -1
    planes = np.moveaxis(levels, axis, 0)
    return np.stack([row.take(plane) for row, plane in zip(table, planes, strict=True)], axis=axis)


def _is_unchanged(spec: InputSpec) -> bool:
    """Whether a model of whole numbers takes the levels as they are."""
    normalisation = spec.normalisation
    plain = normalisation.scale == OPAQUE and set(normalisation.mean) == {0.0} and set(normalisation.std) == {1.0}
    return plain and spec.type != "int8"

"""Finds the form of a classifier's input in its graph: layout, type, sides and channels."""

from dataclasses import dataclass
from math import isqrt
from typing import Any, Final

import onnx

from models.graph import dimensions, element_type, read_inputs
from models.sandbox import InputHints, InvalidModel
from preprocessing import CHANNELS, MAX_SIDE, MIN_SIDE, Colour

TYPES: Final = {
    "FLOAT": "float32",
    "FLOAT16": "float16",
    "DOUBLE": "float64",
    "UINT8": "uint8",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
}
LAYOUTS: Final = {2: ("NP",), 3: ("NHW", "NP1"), 4: ("NCHW", "NHWC")}
COLOURS: Final[dict[int, Colour]] = {1: "grey", 3: "RGB", 4: "RGBA"}

Dimension = int | str


@dataclass(frozen=True, slots=True)
class Signature:
    """The input of a model: its name, its batch (None where that is free) and the fields of its ``InputSpec``."""

    input: str
    batch: int | None
    form: dict[str, Any]


def read_signature(model: onnx.ModelProto, known: InputHints) -> Signature:
    """The input of a classifier. ``known`` is what a card or an option says of it.

    Raises:
        InvalidModel: more or fewer than one input, or one that is not a batch of pictures.
    """
    inputs = read_inputs(model)
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs)
        rest = "; export it with the others as constants" if len(inputs) > 1 else ""
        raise InvalidModel(f"has {len(inputs)} inputs ({names}); a classifier has one, the picture{rest}")
    (value,) = inputs
    found = element_type(value)
    if found not in TYPES:
        raise InvalidModel(f"input {value.name!r} is {found.lower()}; a picture is one of {', '.join(TYPES.values())}")
    dims = dimensions(value)
    if dims is None:
        if known.layout is None:
            raise InvalidModel(f"input {value.name!r} has no shape in the graph; give --layout, --size and --colour")
        dims = ["?"] * len(known.layout)
    try:
        form = _form(dims, known)
    except ValueError as error:
        raise InvalidModel(f"input {value.name!r} has the shape {_shown(dims)}{error}") from error
    return Signature(value.name, dims[0] if isinstance(dims[0], int) else None, {**form, "type": TYPES[found]})


def _form(dims: list[Dimension], known: InputHints) -> dict[str, Any]:
    layout = _layout(dims, known.layout)
    if layout in ("NP", "NP1"):
        channels, height, width = _unflattened(dims[1], known)
    else:
        sizes = dict(zip(layout, dims, strict=True))
        height, width = (_side(sizes[axis], side) for axis, side in (("H", known.height), ("W", known.width)))
        channels = _channels(sizes.get("C", 1), known.colour)
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (height, width)):
        raise ValueError(f"; the sides of a picture are {MIN_SIDE} to {MAX_SIDE} pixels")
    colour = known.colour or COLOURS[channels]
    if CHANNELS[colour] != channels:
        raise ValueError(f", which is {channels} channels, not {colour}")
    return {"layout": layout, "height": height, "width": width, "colour": colour}


def _layout(dims: list[Dimension], known: str | None) -> str:
    possible = LAYOUTS.get(len(dims), ())
    if not possible:
        raise ValueError("; pictures are [N, C, H, W], [N, H, W, C], [N, H, W], [N, pixels] or [N, pixels, 1]")
    if known:
        if known not in possible or (len(dims) == 4 and not _fits(dict(zip(known, dims, strict=True)))):
            raise ValueError(f", which is not {known}; give --layout {' or '.join(possible)}")
        return known
    if len(dims) == 3:
        return "NP1" if dims[2] == 1 else "NHW"
    fitting = [layout for layout in possible if len(dims) == 2 or _fits(dict(zip(layout, dims, strict=True)))]
    if not fitting:
        raise ValueError("; one dimension must be the channels (1, 3 or 4), two the sides, and the first one the batch")
    if len(fitting) > 1:
        raise ValueError("; give --layout, because it may be NCHW or NHWC")
    return fitting[0]


def _fits(sizes: dict[str, Dimension]) -> bool:
    sides = sizes["H"], sizes["W"]
    return sizes["C"] in (1, 3, 4, *_free(sizes["C"])) and all(isinstance(side, str) or side >= MIN_SIDE for side in sides)


def _free(size: Dimension) -> tuple[Dimension, ...]:
    return (size,) if isinstance(size, str) else ()


def _side(size: Dimension, known: int | None) -> int:
    if isinstance(size, int):
        if known not in (None, size):
            raise ValueError(f", which is not {known} pixels")
        return size
    if known is None:
        raise ValueError(", whose sides are free; give --size, such as 224")
    return known


def _channels(size: Dimension, colour: Colour | None) -> int:
    if isinstance(size, int):
        return size
    if colour is None:
        raise ValueError(", whose channels are free; give --colour")
    return CHANNELS[colour]


def _unflattened(size: Dimension, known: InputHints) -> tuple[int, int, int]:
    """Channels, height and width of pictures whose values are in one row: squares, unless the sides are known."""
    height, width = known.height, known.width
    channels = [CHANNELS[known.colour]] if known.colour else list(COLOURS)
    if height and width:
        for count in channels:
            if size in (count * height * width, *_free(size)):
                return count, height, width
        raise ValueError(f", which is not {height}x{width} pixels")
    if isinstance(size, str):
        raise ValueError(", whose length is free; give --size, such as 28")
    for count in channels:
        side = isqrt(size // count)
        if count * side * side == size:
            return count, side, side
    raise ValueError(f"; {size} values are not a square picture, so give its --size, such as 28x20")


def _shown(dims: list[Dimension]) -> str:
    return f"[{', '.join(map(str, dims))}]"

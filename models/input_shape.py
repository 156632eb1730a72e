"""Gives a graph a batch of pictures as input, where it takes one picture without a batch, or pictures in one row."""

from math import isqrt
from typing import Final

import onnx
from onnx import helper

from models.graph import ONNX_DOMAINS, dimensions, read_inputs, unused_name, walk
from models.sandbox import InputHints
from preprocessing import CHANNELS, MIN_SIDE

Dimension = int | str

# Since this opset, Squeeze takes its axes as an input.
AXES_AS_INPUT: Final = 13


def add_batch(model: onnx.ModelProto, known: InputHints) -> list[str]:
    """Change ``model`` in place to take a batch of one picture where it takes one without a batch; the changes as text."""
    inputs = read_inputs(model)
    dims = dimensions(inputs[0]) if len(inputs) == 1 else None
    if dims is None or not _is_single_picture(dims, known):
        return []
    (value,) = inputs
    inner = _rename_uses(model.graph, value.name)
    opset = next((one.version for one in model.opset_import if one.domain in ONNX_DOMAINS), 1)
    if opset < AXES_AS_INPUT:
        nodes = [helper.make_node("Squeeze", [value.name], [inner], axes=[0])]
    else:
        axes = unused_name(model.graph, "batch_axis")
        nodes = [_integers(axes, [0]), helper.make_node("Squeeze", [value.name, axes], [inner])]
    _insert_first(model.graph, nodes)
    first = value.type.tensor_type.shape.dim[0]
    rest = [onnx.TensorShapeProto.Dimension() for _ in dims]
    for copy, dim in zip(rest, value.type.tensor_type.shape.dim, strict=True):
        copy.CopyFrom(dim)
    first.Clear()
    first.dim_value = 1
    del value.type.tensor_type.shape.dim[1:]
    value.type.tensor_type.shape.dim.extend(rest)
    return [f"a batch of one picture added to the input, which is [{', '.join(map(str, dims))}]"]


def unflatten(model: onnx.ModelProto, known: InputHints) -> list[str]:
    """Change ``model`` in place to take pictures of the layout ``known`` where it takes them in one row; the changes as text.

    The values of each row are then in the order of that layout: of NCHW one channel after the other.
    """
    inputs = read_inputs(model)
    dims = dimensions(inputs[0]) if len(inputs) == 1 else None
    if dims is None or known.layout not in ("NCHW", "NHWC") or len(dims) != 2 or not isinstance(dims[1], int):
        return []
    for count in [CHANNELS[known.colour]] if known.colour else [1, 3, 4]:
        side = isqrt(dims[1] // count)
        height, width = known.height or side, known.width or side
        if count * height * width == dims[1]:
            break
    else:
        return []
    (value,) = inputs
    inner, row = _rename_uses(model.graph, value.name), unused_name(model.graph, "row")
    _insert_first(model.graph, [_integers(row, [-1, dims[1]]), helper.make_node("Reshape", [value.name, row], [inner])])
    picture = (count, height, width) if known.layout == "NCHW" else (height, width, count)
    del value.type.tensor_type.shape.dim[1:]
    for size in picture:
        value.type.tensor_type.shape.dim.add().dim_value = size
    return [f"input of {dims[1]} values taken as {known.layout}"]


def _is_single_picture(dims: list[Dimension], known: InputHints) -> bool:
    """Whether dimensions are those of one picture, where they may also be those of a batch of lines or values."""
    sides = (known.height, known.width)
    if len(dims) == 1:
        return True
    if len(dims) == 2:
        is_square = dims[0] == dims[1] and isinstance(dims[0], int) and dims[0] >= MIN_SIDE
        return known.layout != "NP" and (is_square or (dims[0], dims[1]) == sides)
    if len(dims) != 3 or known.layout in ("NHW", "NP1"):
        return False
    if dims[2] in (3, 4):
        return True
    if dims[2] == 1:
        return dims[0] == dims[1] or (dims[0], dims[1]) == sides
    return dims[0] in (3, 4)


def _rename_uses(graph: onnx.GraphProto, name: str) -> str:
    """Let every node read another value in place of the input ``name``; its name."""
    new = unused_name(graph, f"{name}_inside")
    for node in walk(graph, onnx.NodeProto):
        for index, source in enumerate(node.input):
            if source == name:
                node.input[index] = new
    return new


def _integers(name: str, values: list[int]) -> onnx.NodeProto:
    """A Constant node, because IR version 3 requires initializers to be listed as graph inputs as well."""
    tensor = helper.make_tensor(name, onnx.TensorProto.INT64, [len(values)], values)
    return helper.make_node("Constant", [], [name], value=tensor)


def _insert_first(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    for node in reversed(nodes):
        graph.node.insert(0, node)

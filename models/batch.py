"""A batch dimension that an export fixed, made free again."""

from collections.abc import Iterator
from typing import Any, Final

import onnx
from onnx import helper, numpy_helper

from models.graph import Ends, parts

FREE: Final = "N"
ONNX_DOMAINS: Final = ("", "ai.onnx")


def free_batch(model: onnx.ModelProto, ends: Ends) -> list[str]:
    """Let ``model`` take batches of any size, in place; whether it then answers as before is for a proof to show.

    The fixed size goes from both ends and from intermediate shapes, which are only remarks, and from constants that reshape
    pictures on their way: a leading ``batch`` becomes -1, or 0 ("as it comes") where another dimension is -1 already.

    Returns:
        What was changed, in words; nothing where the batch is free.
    """
    graph = model.graph
    changes = []
    fixed = [value for value in (*graph.input, *graph.output) if value.name in (ends.input, ends.output) and _fixed(value)]
    if fixed:
        for value in fixed:
            value.type.tensor_type.shape.dim[0].dim_param = FREE
        for inner in (graph, *parts(graph, onnx.GraphProto)):
            del inner.value_info[:]
        changes.append(f"batch of {ends.batch} made free" if ends.batch else "batch dimension made free")
    if ends.batch is not None:
        nodes = list(_reshapes(graph, ends.input))
        if reshaped := [node.name or node.output[0] for node in nodes if _reshape_any(graph, node, ends.batch)]:
            changes.append(f"constant shapes of {', '.join(reshaped)} made free")
    return changes


def _fixed(value: onnx.ValueInfoProto) -> bool:
    dims = value.type.tensor_type.shape.dim
    return len(dims) > 0 and bool(dims[0].HasField("dim_value"))


def _reshapes(graph: onnx.GraphProto, source: str) -> Iterator[onnx.NodeProto]:
    """The Reshape nodes that ``source`` goes through; what only its shape goes into is left alone."""
    reached = {source}
    for node in graph.node:
        if node.op_type in ("Shape", "Size") or not reached.intersection(_inputs(node)):
            continue
        reached.update(node.output)
        if node.op_type == "Reshape" and node.domain in ONNX_DOMAINS and len(node.input) == 2 and node.input[0] in reached:
            yield node


def _inputs(node: onnx.NodeProto) -> set[str]:
    """What a node reads, its subgraphs included."""
    return {name for one in (node, *parts(node, onnx.NodeProto)) for name in one.input}


def _reshape_any(graph: onnx.GraphProto, node: onnx.NodeProto, batch: int) -> bool:
    """Give a Reshape whose constant shape begins with the batch one of its own that does not; whether there was need to."""
    shape = _constant(graph, node.input[1])
    if not shape or shape[0] != batch:
        return False
    keeps_zeros = any(attribute.name == "allowzero" and attribute.i for attribute in node.attribute)
    if -1 in shape[1:] and keeps_zeros:
        return False
    free = [0 if -1 in shape[1:] else -1, *shape[1:]]
    taken = {name for one in graph.node for name in (*one.input, *one.output)} | {value.name for value in graph.initializer}
    name = next(name for number in range(len(taken) + 1) if (name := f"any_batch_{number}") not in taken)
    old, node.input[1] = node.input[1], name
    # A node, because files of IR version 3 would have to name an initializer among the inputs as well.
    values = helper.make_tensor(name, onnx.TensorProto.INT64, [len(free)], free)
    graph.node.insert(0, helper.make_node("Constant", [], [name], value=values))
    _drop_unused(graph, old)
    return True


def _constant(graph: onnx.GraphProto, name: str) -> list[int]:
    """The values of a constant list of integers; empty where it is none."""
    for tensor in graph.initializer:
        if tensor.name == name:
            return _integers(tensor)
    for node in graph.node:
        if name in node.output and node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    return _integers(attribute.t)
                if attribute.name == "value_ints":
                    return list(attribute.ints)
    return []


def _integers(tensor: onnx.TensorProto) -> list[int]:
    values = numpy_helper.to_array(tensor) if tensor.data_type == onnx.TensorProto.INT64 else None
    return [int(value) for value in values] if values is not None and values.ndim == 1 else []


def _drop_unused(graph: onnx.GraphProto, name: str) -> None:
    """Take a constant out that nothing reads any more."""
    if any(name in _inputs(node) for node in graph.node) or any(name == value.name for value in graph.output):
        return
    for values in (graph.initializer, graph.input):
        _remove(values, [value for value in values if value.name == name])
    _remove(graph.node, [node for node in graph.node if list(node.output) == [name]])


def _remove(values: Any, gone: list[Any]) -> None:
    for value in gone:
        values.remove(value)

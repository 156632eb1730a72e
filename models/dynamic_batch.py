"""Makes the batch dimension of a model dynamic where its export fixed it."""

from collections.abc import Iterator
from typing import Any, Final

import onnx
from onnx import helper, numpy_helper

from models.graph import ONNX_DOMAINS, unused_name, walk
from models.signature import Signature

BATCH_DIMENSION: Final = "N"


def make_batch_dynamic(model: onnx.ModelProto, signature: Signature, output: str) -> list[str]:
    """Change ``model`` in place to accept batches of any size. Whether its outputs stay the same must be verified afterwards.

    The fixed size is removed from the shapes of input and output, from the annotated shapes of intermediate values, and from
    constant shapes of Reshape nodes: a leading ``batch`` becomes -1, or 0 (copy the dimension) where another one is -1.

    Returns:
        The changes, as text; empty where the batch is dynamic already.
    """
    graph = model.graph
    changes = []
    fixed = [value for value in (*graph.input, *graph.output) if value.name in (signature.input, output) and _fixed(value)]
    if fixed:
        for value in fixed:
            value.type.tensor_type.shape.dim[0].dim_param = BATCH_DIMENSION
        for inner in (graph, *walk(graph, onnx.GraphProto)):
            del inner.value_info[:]
        changes.append(f"batch size of {signature.batch} made dynamic" if signature.batch else "batch dimension made dynamic")
    if signature.batch is not None:
        nodes = list(_reshapes(graph, signature.input))
        if reshaped := [node.name or node.output[0] for node in nodes if _make_reshape_dynamic(graph, node, signature.batch)]:
            changes.append(f"constant shapes of {', '.join(reshaped)} made dynamic")
    return changes


def _fixed(value: onnx.ValueInfoProto) -> bool:
    dims = value.type.tensor_type.shape.dim
    return len(dims) > 0 and bool(dims[0].HasField("dim_value"))


def _reshapes(graph: onnx.GraphProto, source: str) -> Iterator[onnx.NodeProto]:
    """The Reshape nodes whose data depends on ``source``; nodes that depend on its shape alone are left out."""
    reached = {source}
    for node in graph.node:
        if node.op_type in ("Shape", "Size") or not reached.intersection(_inputs(node)):
            continue
        reached.update(node.output)
        if node.op_type == "Reshape" and node.domain in ONNX_DOMAINS and len(node.input) == 2 and node.input[0] in reached:
            yield node


def _inputs(node: onnx.NodeProto) -> set[str]:
    """The names of a node's inputs, those of its subgraphs included."""
    return {name for inner in (node, *walk(node, onnx.NodeProto)) for name in inner.input}


def _make_reshape_dynamic(graph: onnx.GraphProto, node: onnx.NodeProto, batch: int) -> bool:
    """Replace a Reshape's constant shape where it begins with the batch size; whether it did."""
    shape = _constant(graph, node.input[1])
    if not shape or shape[0] != batch:
        return False
    if -1 in shape[1:]:  # then the batch is copied, which 0 means only without allowzero; both are not allowed together
        _remove(node.attribute, [attribute for attribute in node.attribute if attribute.name == "allowzero"])
    dynamic = [0 if -1 in shape[1:] else -1, *shape[1:]]
    name = unused_name(graph, "any_batch")
    old, node.input[1] = node.input[1], name
    # A Constant node, because IR version 3 requires initializers to be listed as graph inputs as well.
    values = helper.make_tensor(name, onnx.TensorProto.INT64, [len(dynamic)], dynamic)
    graph.node.insert(0, helper.make_node("Constant", [], [name], value=values))
    _drop_unused(graph, old)
    return True


def _constant(graph: onnx.GraphProto, name: str) -> list[int]:
    """The values of a constant list of integers; empty where ``name`` is something else."""
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
    """Remove a constant that no node reads any more."""
    if any(name in _inputs(node) for node in graph.node) or any(name == value.name for value in graph.output):
        return
    for values in (graph.initializer, graph.input):
        _remove(values, [value for value in values if value.name == name])
    _remove(graph.node, [node for node in graph.node if list(node.output) == [name]])


def _remove(values: Any, unused: list[Any]) -> None:
    for value in unused:
        values.remove(value)

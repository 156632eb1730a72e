"""Reads an ONNX file and validates its graph without running it. Only the process ``models.sandbox_worker`` does this."""

from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path
from typing import Any, Final

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto

from models.external_data import embed_external_data
from models.sandbox import MAX_BYTES, InvalidModel

ONNX_DOMAINS: Final = ("", "ai.onnx")
# The last is of files that ONNX Runtime wrote after optimising them for a machine.
DOMAINS: Final = (*ONNX_DOMAINS, "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc")


def read_graph(path: Path) -> tuple[onnx.ModelProto, list[str]]:
    """Read the model in a file. External data is embedded, and functions are inlined.

    Returns:
        The model, and the changes as text.

    Raises:
        InvalidModel: too large, not ONNX, external data that may not be read, custom operators, tensors with impossible shapes.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InvalidModel(f"has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are allowed")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InvalidModel("is not an ONNX file, or is truncated") from error
    if not model.graph.node:
        raise InvalidModel("is not an ONNX file: it has no graph")
    changes = []
    if external := [tensor for tensor in walk(model, TensorProto) if tensor.data_location == TensorProto.EXTERNAL]:
        embed_external_data(external, path.parent, MAX_BYTES)
        changes.append("external data embedded")
    _check_operators(model)
    for tensor in walk(model, TensorProto):
        if min(tensor.dims, default=0) < 0 or prod(tensor.dims) > MAX_BYTES:
            raise InvalidModel(f"tensor {tensor.name!r} has the shape {list(tensor.dims)}, more values than a file can hold")
    if model.functions:
        try:
            model = onnx.inliner.inline_local_functions(model)
        except Exception as error:  # onnx raises classes of its C++ part
            raise InvalidModel(f"has functions that cannot be inlined: {error}") from error
        changes.append("functions inlined")
    return model, changes + _repair(model)


def _repair(model: onnx.ModelProto) -> list[str]:
    """Change ``model`` in place where exporters write what onnxruntime refuses; the changes as text."""
    graph, changes = model.graph, []
    names = [node.name for node in graph.node if node.name]
    if len(set(names)) < len(names):
        for node in graph.node:
            node.ClearField("name")
        changes.append("names of nodes, which occur twice, removed")
    read = {name for node in walk(graph, onnx.NodeProto) for name in node.input} | {value.name for value in graph.output}
    if unused := [value for value in read_inputs(model) if value.name not in read]:
        for value in unused:
            graph.input.remove(value)
        changes.append(f"inputs that nothing reads removed: {', '.join(value.name for value in unused)}")
    for value in (*graph.input, *graph.output):
        zeros = [dim for dim in value.type.tensor_type.shape.dim if dim.HasField("dim_value") and dim.dim_value == 0]
        for dim in zeros:
            dim.ClearField("dim_value")
        if zeros:
            changes.append(f"dimensions of 0 in {value.name} made dynamic")
    return changes


def walk(message: Message, kind: Any) -> Iterator[Any]:
    """Every protobuf message of a type inside another, at any depth: in subgraphs, functions and attributes."""
    for _, value in message.ListFields():
        for child in (value,) if isinstance(value, Message) else value if _holds_messages(value) else ():
            if isinstance(child, kind):
                yield child
            yield from walk(child, kind)


def _holds_messages(value: Any) -> bool:
    return not isinstance(value, str | bytes | int | float) and len(value) > 0 and isinstance(value[0], Message)


def _check_operators(model: onnx.ModelProto) -> None:
    """Reject custom operators, which onnxruntime would load from a library."""
    local = {(function.domain, function.name) for function in model.functions}
    custom = {
        f"{node.domain}.{node.op_type}"
        for node in walk(model, onnx.NodeProto)
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in local
    }
    if custom:
        raise InvalidModel(f"uses operators that are not part of ONNX Runtime: {', '.join(sorted(custom))}")


def read_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a caller must give. Before IR version 4, the weights are listed as inputs as well."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def dimensions(value: onnx.ValueInfoProto) -> list[int | str] | None:
    """The dimensions of a tensor, text where one is free (or 0 or -1 in the file); None where the rank is unknown."""
    if not value.type.tensor_type.HasField("shape"):
        return None
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.dim_value > 0 else dim.dim_param or "?" for dim in dims]


def producer_before(graph: onnx.GraphProto, name: str, passed: Collection[str]) -> onnx.NodeProto | None:
    """The node that computes a value, or the one before it as long as the node's operator is one of ``passed``.

    The search ends after as many steps as there are nodes, because a hostile graph may be a circle.
    """
    producers = {output: node for node in graph.node for output in node.output}
    node = producers.get(name)
    for _ in graph.node:
        if node is None or node.op_type not in passed or node.domain not in ONNX_DOMAINS or not node.input:
            return node
        node = producers.get(node.input[0])
    return None


def unused_name(graph: onnx.GraphProto, prefix: str) -> str:
    """A name for a new value of a graph: ``prefix`` and a number."""
    used = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    used.update(name for node in walk(graph, onnx.NodeProto) for name in (*node.input, *node.output))
    return next(name for number in range(len(used) + 1) if (name := f"{prefix}_{number}") not in used)


def element_type(value: onnx.ValueInfoProto) -> str:
    """The type of a tensor's elements, such as ``FLOAT``."""
    if value.type.WhichOneof("value") != "tensor_type":
        return "not a tensor"
    return str(TensorProto.DataType.Name(value.type.tensor_type.elem_type))

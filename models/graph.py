"""Reads an ONNX file and validates its graph without running it. Only the process ``models.sandbox_worker`` does this."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto

from models.external_data import embed_external_data
from models.sandbox import InvalidModel

MAX_BYTES: Final = 512 * 2**20
DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
MIN_SIDE: Final = 8
MAX_SIDE: Final = 512


@dataclass(frozen=True, slots=True)
class Signature:
    """The input ``float32[batch, channels, size, size]`` and the output of a model; ``batch`` is None where it is dynamic."""

    input: str
    output: str
    batch: int | None
    channels: int
    size: int


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
    return model, changes


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


def read_signature(model: onnx.ModelProto) -> Signature:
    """The input and the output of a classifier.

    Raises:
        InvalidModel: more or fewer than one of each, another type, or an input that is not a batch of square images.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    outputs = list(model.graph.output)
    if len(inputs) != 1 or len(outputs) != 1:
        raise InvalidModel(f"has {_named('input', inputs)} and {_named('output', outputs)}; a classifier has one of each")
    for kind, value in (("input", inputs[0]), ("output", outputs[0])):
        found = _element_type(value)
        if found != "FLOAT":
            raise InvalidModel(f"{kind} {value.name!r} is {found.lower()}; export it with float32 (FLOAT) input and output")
    dims = inputs[0].type.tensor_type.shape.dim
    shape = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in dims]
    if len(shape) != 4:
        raise InvalidModel(f"input {inputs[0].name!r} has the shape {shape}; a batch of images is [N, channels, height, width]")
    batch, channels, height, width = shape
    if channels not in (1, 3) and width in (1, 3):
        raise InvalidModel(
            f"input {inputs[0].name!r} has the shape {shape}, channels last; export [N, channels, height, width]"
        )
    if channels not in (1, 3):
        raise InvalidModel(f"input {inputs[0].name!r} has the shape {shape}; the second dimension must be 1 or 3 channels")
    if not isinstance(height, int) or height != width or not MIN_SIDE <= height <= MAX_SIDE:
        raise InvalidModel(
            f"input {inputs[0].name!r} has the shape {shape}; images must be square, "
            f"with a fixed side of {MIN_SIDE} to {MAX_SIDE} pixels"
        )
    if isinstance(batch, int) and batch < 1:
        batch = "?"  # some exporters write 0 or -1 for a dynamic batch
    return Signature(inputs[0].name, outputs[0].name, batch if isinstance(batch, int) else None, int(channels), height)


def _named(kind: str, values: list[onnx.ValueInfoProto]) -> str:
    names = ", ".join(value.name for value in values)
    return f"{len(values)} {kind}{'s' * (len(values) != 1)}" + f" ({names})" * bool(names)


def _element_type(value: onnx.ValueInfoProto) -> str:
    if value.type.WhichOneof("value") != "tensor_type":
        return "not a tensor"
    return str(TensorProto.DataType.Name(value.type.tensor_type.elem_type))

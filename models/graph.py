"""An ONNX file read and checked without running it. Only ``models.examination`` does this, in a process of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto

from models.external import embed
from models.trial import Refused

MAX_BYTES: Final = 512 * 2**20
DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
SMALLEST: Final = 8
LARGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Ends:
    """The input ``float32[batch, channels, size, size]`` and the output of a graph; ``batch`` is None where it is free."""

    input: str
    output: str
    batch: int | None
    channels: int
    size: int


def read_graph(path: Path) -> tuple[onnx.ModelProto, list[str]]:
    """The model in a file, whole: data kept in other files and functions are put into the graph.

    Returns:
        The model, and what was changed in words.

    Raises:
        Refused: too large, not ONNX, external data that may not be read, foreign operators, tensors that claim too much.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Refused(f"has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise Refused("is not an ONNX file, or is truncated") from error
    if not model.graph.node:
        raise Refused("is not an ONNX file: there is no graph in it")
    changes = []
    if external := [tensor for tensor in parts(model, TensorProto) if tensor.data_location == TensorProto.EXTERNAL]:
        embed(external, path.parent, MAX_BYTES)
        changes.append("external data put into the file")
    _check_operators(model)
    for tensor in parts(model, TensorProto):
        if min(tensor.dims, default=0) < 0 or prod(tensor.dims) > MAX_BYTES:
            raise Refused(f"tensor {tensor.name!r} claims the shape {list(tensor.dims)}, more than a file can hold")
    if model.functions:
        try:
            model = onnx.inliner.inline_local_functions(model)
        except Exception as error:  # onnx raises classes of its C++ part
            raise Refused(f"has functions that cannot be put in place: {error}") from error
        changes.append("functions put in place")
    return model, changes


def parts(message: Message, kind: Any) -> Iterator[Any]:
    """Every message of a kind inside another: in subgraphs, functions, attributes, wherever it is."""
    for _, value in message.ListFields():
        for child in (value,) if isinstance(value, Message) else value if _holds_messages(value) else ():
            if isinstance(child, kind):
                yield child
            yield from parts(child, kind)


def _holds_messages(value: Any) -> bool:
    return not isinstance(value, str | bytes | int | float) and len(value) > 0 and isinstance(value[0], Message)


def _check_operators(model: onnx.ModelProto) -> None:
    """Refuse operators that onnxruntime has only with libraries of their own."""
    own = {(function.domain, function.name) for function in model.functions}
    foreign = {
        f"{node.domain}.{node.op_type}"
        for node in parts(model, onnx.NodeProto)
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own
    }
    if foreign:
        raise Refused(f"uses operators that are not part of ONNX Runtime: {', '.join(sorted(foreign))}")


def ends(model: onnx.ModelProto) -> Ends:
    """The input and the output of a classifier.

    Raises:
        Refused: more or fewer than one of each, another type, or an input that is no batch of square pictures.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    outputs = list(model.graph.output)
    if len(inputs) != 1 or len(outputs) != 1:
        raise Refused(f"has {_named('input', inputs)} and {_named('output', outputs)}; a classifier has one of each")
    for kind, value in (("input", inputs[0]), ("output", outputs[0])):
        found = _element_type(value)
        if found != "FLOAT":
            raise Refused(f"{kind} {value.name!r} is {found.lower()}; export the model with float32 (FLOAT) at both ends")
    dims = inputs[0].type.tensor_type.shape.dim
    shape = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in dims]
    if len(shape) != 4:
        raise Refused(f"input {inputs[0].name!r} has the shape {shape}; a batch of pictures is [N, channels, height, width]")
    batch, channels, height, width = shape
    if channels not in (1, 3) and width in (1, 3):
        raise Refused(f"input {inputs[0].name!r} has the shape {shape}, channels last; export [N, channels, height, width]")
    if channels not in (1, 3):
        raise Refused(f"input {inputs[0].name!r} has the shape {shape}; the second dimension must be 1 or 3 channels")
    if not isinstance(height, int) or height != width or not SMALLEST <= height <= LARGEST:
        raise Refused(
            f"input {inputs[0].name!r} has the shape {shape}; pictures must be square, "
            f"with a fixed side of {SMALLEST} to {LARGEST} pixels"
        )
    if isinstance(batch, int) and batch < 1:
        batch = "?"  # some exporters write 0 or -1 for a batch of any size
    return Ends(inputs[0].name, outputs[0].name, batch if isinstance(batch, int) else None, int(channels), height)


def _named(kind: str, values: list[onnx.ValueInfoProto]) -> str:
    names = ", ".join(value.name for value in values)
    return f"{len(values)} {kind}{'s' * (len(values) != 1)}" + f" ({names})" * bool(names)


def _element_type(value: onnx.ValueInfoProto) -> str:
    if value.type.WhichOneof("value") != "tensor_type":
        return "no tensor"
    return str(TensorProto.DataType.Name(value.type.tensor_type.elem_type))

"""Small ONNX graphs, good and bad."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 8
OPSET = 17
LABELS = 4


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node; names of inputs and outputs are separated by spaces."""
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, npt.ArrayLike],
    *,
    shape: Sequence[int | str | None] = ("N", 1, SIZE, SIZE),
    answer: Sequence[int | str | None] = ("N", LABELS),
    types: tuple[int, int] = (TensorProto.FLOAT, TensorProto.FLOAT),
    opset: int = OPSET,
    domains: Sequence[str] = (),
    ir_version: int = 8,
) -> onnx.ModelProto:
    """A model with input ``x`` and output ``y``; constants are float32 or int64."""
    weights = []
    for name, values in constants.items():
        array = np.asarray(values)
        weights.append(numpy_helper.from_array(array.astype(np.float32) if array.dtype.kind == "f" else array, name))
    values = [
        helper.make_tensor_value_info(name, kind, list(dims))
        for name, kind, dims in zip("xy", types, (shape, answer), strict=True)
    ]
    graph = helper.make_graph(list(nodes), "graph", values[:1], values[1:], weights)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def weights(k: int = LABELS, size: int = SIZE) -> npt.NDArray[np.float32]:
    """Weights ``float32[size * size, k]`` of a linear classifier."""
    return np.random.default_rng(k).normal(size=(size * size, k)).astype(np.float32)


def linear(k: int = LABELS, **options: Any) -> onnx.ModelProto:
    """A linear classifier with a dynamic batch."""
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "y")]
    return model(nodes, {"w": weights(k)}, answer=("N", k), **options)


def fixed(batch: int = 1, shape: Sequence[int] | None = None, **options: Any) -> onnx.ModelProto:
    """A classifier with a fixed batch as in mnist-12: in input and output, in a Reshape, and beside a reshaped weight."""
    dims = np.array([batch, SIZE * SIZE] if shape is None else shape)
    nodes = [
        node("Relu", "x", "bright"),
        node("Reshape", "bright dims", "flat"),
        node("Reshape", "w wide", "flat_w"),
        node("MatMul", "flat flat_w", "product"),
        node("Add", "product b", "y"),
    ]
    constants: dict[str, npt.ArrayLike] = {
        "dims": dims,
        "wide": np.array([SIZE * SIZE, LABELS]),
        "w": weights().reshape(SIZE, SIZE, LABELS),
        "b": [[0.5] * LABELS],
    }
    return model(nodes, constants, shape=(batch, 1, SIZE, SIZE), answer=(batch, LABELS), **options)


def ending(kind: str, **attributes: Any) -> onnx.ModelProto:
    """A linear classifier that ends in another operator."""
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "logits"), node(kind, "logits", "y", **attributes)]
    return model(nodes, {"w": weights() / 8})


def infinite_loop() -> onnx.ModelProto:
    """A classifier with an infinite loop."""
    body = helper.make_graph(
        [node("Identity", "go", "go_on"), node("Add", "total one", "more")],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("total", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        node("Flatten", "x", "flat"),
        node("MatMul", "flat w", "logits"),
        helper.make_node("Loop", ["", "true", "logits"], ["y"], body=body),
    ]
    return model(nodes, {"w": weights(), "true": np.array(True), "one": np.float32(1)})


def filling(*dims: int) -> onnx.ModelProto:
    """A classifier that allocates a tensor of a shape."""
    nodes = [
        node("Flatten", "x", "flat"),
        node("MatMul", "flat w", "logits"),
        node("ConstantOfShape", "dims", "huge"),
        node("ReduceSum", "huge", "sum", keepdims=0),
        node("Add", "logits sum", "y"),
    ]
    return model(nodes, {"w": weights(), "dims": np.array(dims)})

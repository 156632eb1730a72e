"""Reading the form of a classifier's input from its graph."""

from collections.abc import Callable
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from models.sandbox import InputHints, InvalidModel
from models.signature import read_signature
from tests.models.graphs import LABELS, SIZE, linear

Shape = tuple[int | str | None, ...]


def changed(change: Callable[[onnx.GraphProto], Any]) -> onnx.ModelProto:
    graph = linear()
    change(graph.graph)
    return graph


def value(name: str, kind: int = TensorProto.FLOAT, dims: tuple[int | str, ...] = ("N", LABELS)) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def unknown_rank() -> onnx.ModelProto:
    return changed(lambda graph: graph.input[0].type.tensor_type.ClearField("shape"))


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        (("N", 1, 28, 28), ("NCHW", 28, 28, "grey")),
        (("N", 3, 32, 48), ("NCHW", 32, 48, "RGB")),
        (("N", 4, 64, 64), ("NCHW", 64, 64, "RGBA")),
        (("N", 224, 200, 3), ("NHWC", 224, 200, "RGB")),
        (("unk__12", 5, 5, 1), ("NHWC", 5, 5, "grey")),
        ((1, 28, 20), ("NHW", 28, 20, "grey")),
        (("N", 784), ("NP", 28, 28, "grey")),
        ((None, 25), ("NP", 5, 5, "grey")),
        (("N", 3072), ("NP", 32, 32, "RGB")),
        (("N", 784, 1), ("NP1", 28, 28, "grey")),
    ],
)
def test_form_is_found_in_the_shape(shape: Shape, form: tuple[str, int, int, str]) -> None:
    found = read_signature(linear(shape=shape), InputHints()).form
    assert (found["layout"], found["height"], found["width"], found["colour"]) == form


@pytest.mark.parametrize(
    ("graph", "hints", "form"),
    [
        (linear(shape=("N", 3, "H", "W")), InputHints(height=64, width=48), ("NCHW", 64, 48, "RGB")),
        (linear(shape=("N", "H", "W", 3)), InputHints(height=64, width=64, colour="BGR"), ("NHWC", 64, 64, "BGR")),
        (linear(shape=("N", "C", 64, 64)), InputHints(colour="grey"), ("NCHW", 64, 64, "grey")),
        (
            linear(shape=("a", "b", "c", "d")),
            InputHints(layout="NHWC", height=9, width=9, colour="RGB"),
            ("NHWC", 9, 9, "RGB"),
        ),
        (linear(shape=("N", 600)), InputHints(height=30, width=20), ("NP", 30, 20, "grey")),
        (linear(shape=("N", "P")), InputHints(height=8, width=8, colour="RGB"), ("NP", 8, 8, "RGB")),
        (unknown_rank(), InputHints(layout="NCHW", height=8, width=8, colour="grey"), ("NCHW", 8, 8, "grey")),
    ],
)
def test_open_sizes_come_from_the_description(
    graph: onnx.ModelProto, hints: InputHints, form: tuple[str, int, int, str]
) -> None:
    found = read_signature(graph, hints).form
    assert (found["layout"], found["height"], found["width"], found["colour"]) == form


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TensorProto.FLOAT, "float32"),
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.DOUBLE, "float64"),
        (TensorProto.UINT8, "uint8"),
        (TensorProto.INT64, "int64"),
    ],
)
def test_type_is_found_in_the_graph(kind: int, name: str) -> None:
    assert read_signature(linear(types=(kind, TensorProto.FLOAT)), InputHints()).form["type"] == name


@pytest.mark.parametrize(
    ("graph", "hints", "reason"),
    [
        (changed(lambda graph: graph.input.append(value("z"))), InputHints(), r"has 2 inputs \(x, z\); a classifier has one"),
        (changed(lambda graph: graph.ClearField("input")), InputHints(), "has 0 inputs"),
        (linear(types=(TensorProto.STRING, TensorProto.FLOAT)), InputHints(), "input 'x' is string; a picture is one of"),
        (changed(lambda graph: graph.input[0].ClearField("type")), InputHints(), "input 'x' is not a tensor"),
        (unknown_rank(), InputHints(), "has no shape in the graph; give --layout"),
        (linear(shape=("N", 2, SIZE, SIZE)), InputHints(), r"shape \[N, 2, 8, 8\]; one dimension must be the channels"),
        (linear(shape=("N", 1, SIZE, SIZE, SIZE)), InputHints(), "pictures are"),
        (linear(shape=("N",)), InputHints(), "pictures are"),
        (linear(shape=("N", 1, 4, 4)), InputHints(), "one dimension must be the channels"),
        (linear(shape=("N", 1, 513, 513)), InputHints(), "5 to 512"),
        (linear(shape=("N", 3, "H", "W")), InputHints(), "whose sides are free; give --size"),
        (linear(shape=("N", "C", 64, 64)), InputHints(), "whose channels are free; give --colour"),
        (linear(shape=("N", "a", "b", "c")), InputHints(), "give --layout"),
        (linear(shape=("N", "P")), InputHints(), "whose length is free"),
        (linear(shape=("N", 600)), InputHints(), "600 values are not a square picture"),
        (linear(shape=("N", 600)), InputHints(height=9, width=9), "which is not 9x9 pixels"),
        (linear(shape=("N", 3, 64, 64)), InputHints(layout="NHWC"), "which is not NHWC"),
        (linear(shape=("N", 3, 64, 64)), InputHints(height=32, width=32), "which is not 32 pixels"),
        (linear(shape=("N", 3, 64, 64)), InputHints(colour="grey"), "which is 3 channels, not grey"),
    ],
)
def test_input_that_is_no_picture_is_rejected(graph: onnx.ModelProto, hints: InputHints, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        read_signature(graph, hints)


@pytest.mark.parametrize(("batch", "found"), [("N", None), (None, None), (0, None), (-1, None), (1, 1), (4, 4)])
def test_batch_is_fixed_or_dynamic(batch: int | str | None, found: int | None) -> None:
    assert read_signature(linear(shape=(batch, 3, 32, 32)), InputHints()).batch == found


def test_weights_listed_as_inputs_are_ignored() -> None:
    graph = linear(ir_version=3)
    graph.graph.input.append(value("w", dims=(SIZE * SIZE, LABELS)))
    assert read_signature(graph, InputHints()).input == "x"

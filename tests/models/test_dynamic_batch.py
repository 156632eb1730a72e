"""Fixed batches made dynamic, softmax removal, and the verification of outputs."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from models import verification
from models.activation_removal import remove_activation
from models.dynamic_batch import make_batch_dynamic
from models.output_choice import detect_kind
from models.outputs import LogitsFunction, OutputSpec, session_run
from models.sandbox import InputHints, InvalidModel
from models.signature import Signature, read_signature
from preprocessing import InputSpec, PhotoGeometry
from tests.models.graphs import LABELS, SIZE, ending, fixed, linear, model, node, weights

IMAGES = verification.random_images(33, InputSpec(height=SIZE, width=SIZE, geometry=PhotoGeometry()))


def signature(graph: onnx.ModelProto) -> Signature:
    return read_signature(graph, InputHints())


def function(graph: onnx.ModelProto) -> LogitsFunction:
    """The outputs of a model on the processor."""
    return LogitsFunction(session_run(verification.open_session(graph)))


def with_allowzero() -> onnx.ModelProto:
    """A Reshape to [1, -1] as PyTorch's newer exporter writes it."""
    graph = fixed(shape=[1, -1])
    reshape = next(one for one in graph.graph.node if one.op_type == "Reshape")
    reshape.attribute.append(helper.make_attribute("allowzero", 1))
    return graph


def test_reshape_with_allowzero_is_made_dynamic() -> None:
    assert_same_outputs(with_allowzero())


def with_dynamic_batch(graph: onnx.ModelProto) -> onnx.ModelProto:
    dynamic = onnx.ModelProto()
    dynamic.CopyFrom(graph)
    make_batch_dynamic(dynamic, signature(graph), "y")
    return dynamic


def assert_same_outputs(graph: onnx.ModelProto) -> None:
    """Make a batch dynamic and verify that the outputs stay the same; a fixed batch gets whole batches only."""
    batch = signature(graph).batch or 1
    images = np.resize(IMAGES, (-(-len(IMAGES) // batch) * batch, *IMAGES.shape[1:]))
    expected = verification.run_batches(function(graph), images, batch)
    verification.verify_batch_invariance(function(with_dynamic_batch(graph)), images, expected)


@pytest.mark.parametrize(
    "graph",
    [
        fixed(),
        fixed(ir_version=7, opset=7),
        fixed(batch=4),
        fixed(shape=[1, -1]),
        fixed(shape=[-1, SIZE * SIZE]),
        fixed(shape=[0, SIZE * SIZE]),
        linear(shape=(1, 1, SIZE, SIZE)),
        linear(shape=(-1, 1, SIZE, SIZE)),
    ],
)
def test_fixed_batch_is_made_dynamic(graph: onnx.ModelProto) -> None:
    assert_same_outputs(graph)


@settings(max_examples=30)
@given(st.integers(1, 5), st.sampled_from([(-1, 64), (-1, 8, 8), (8, -1), (4, 16), (2, 4, 8)]), st.booleans())
def test_any_constant_shape_that_begins_with_the_batch_is_made_dynamic(
    batch: int, inner: tuple[int, ...], as_node: bool
) -> None:
    dims = np.array([batch, *inner])
    constant = [node("Constant", "", "dims", value_ints=dims.tolist())] if as_node else []
    nodes = [*constant, node("Reshape", "x dims", "inner"), node("Flatten", "inner", "flat"), node("MatMul", "flat w", "y")]
    constants: dict[str, Any] = {"w": weights()} if as_node else {"w": weights(), "dims": dims}
    assert_same_outputs(model(nodes, constants, shape=(batch, 1, SIZE, SIZE), answer=(batch, LABELS)))


def test_dynamic_batch_is_left_unchanged() -> None:
    graph = linear()
    assert make_batch_dynamic(graph, signature(graph), "y") == []
    assert graph == linear()


def test_shape_shared_with_weights_stays_for_the_weights() -> None:
    """The same constant reshapes the images and a weight: only the images get another."""
    nodes = [
        node("Reshape", "x dims", "flat"),
        node("Reshape", "w dims", "flat_w"),
        node("Mul", "flat flat_w", "weighed"),
        node("MatMul", "weighed v", "y"),
    ]
    constants = {"dims": np.array([1, 64]), "w": weights()[:, 0], "v": weights()}
    graph = model(nodes, constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))
    assert_same_outputs(graph)
    dynamic = with_dynamic_batch(graph)
    assert dynamic.graph.node[2].input[1] == "dims"
    assert dynamic.graph.initializer[0].name == "dims"


def test_unused_constant_is_removed() -> None:
    assert [one.name for one in with_dynamic_batch(fixed()).graph.initializer] == ["wide", "w", "b"]


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("ReduceMean", "x", "m", axes=[0], keepdims=1), node("Sub", "x m", "rest")], {}),
        ([node("Transpose", "x", "t", perm=[2, 3, 1, 0]), node("Reshape", "t dims", "rest")], {"dims": np.array([-1, 64])}),
        ([node("Squeeze", "x", "s"), node("Reshape", "s dims", "rest")], {"dims": np.array([64])}),
        (
            [node("Expand", "v dims", "e"), node("Concat", "x e", "rest", axis=2)],
            {"v": np.float32(1), "dims": np.array([1, 1, 1, 8])},
        ),
    ],
    ids=["mean of the batch", "batch moved", "batch squeezed", "batch expanded"],
)
def test_batch_that_cannot_be_made_dynamic_is_rejected(nodes: list[onnx.NodeProto], constants: dict[str, Any]) -> None:
    end = [node("Reshape", "rest flat_dims", "flat"), node("MatMul", "flat w", "y")]
    wide = 72 if "v" in constants else 64
    constants = {**constants, "flat_dims": np.array([1, wide]), "w": np.resize(weights(), (wide, LABELS))}
    graph = model([*nodes, *end], constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))
    with pytest.raises(InvalidModel, match=r"returns other logits in a batch|cannot run a batch|for a batch of"):
        assert_same_outputs(graph)


def test_model_that_mixes_images_of_a_batch_is_rejected() -> None:
    nodes = [node("ReduceMean", "x", "m", axes=[0], keepdims=1), node("Mul", "m half", "h"), node("Sub", "x h", "rest")]
    ended = [*nodes, node("Flatten", "rest", "flat"), node("MatMul", "flat w", "y")]
    with pytest.raises(InvalidModel, match=r"in a batch of 2 than for one image .* the images of a batch influence"):
        assert_same_outputs(model(ended, {"w": weights(), "half": 0.5}))


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Sigmoid"])
@pytest.mark.parametrize("opset", [11, 17])
def test_activation_at_the_end_is_removed(operator: str, opset: int) -> None:
    graph = ending(operator)
    graph.opset_import[0].version = opset
    outputs = verification.run_batches(function(graph), IMAGES, 1)
    assert remove_activation(graph, "y") == operator
    logits = verification.run_batches(function(graph), IMAGES, 1)
    verification.verify_activation_removal(logits, outputs, operator)
    verification.reject_constant(logits)
    np.testing.assert_array_equal(logits, verification.run_batches(function(ending("Identity")), IMAGES, 1))


def test_softmax_before_a_flatten_is_removed() -> None:
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "l"), node("Softmax", "l", "p"), node("Flatten", "p", "y")]
    graph = model(nodes, {"w": weights()})
    assert remove_activation(graph, "y") == "Softmax"


def test_softmax_over_the_batch_is_rejected() -> None:
    graph = ending("Softmax", axis=0)
    outputs = verification.run_batches(function(graph), IMAGES, 1)
    operator = remove_activation(graph, "y")
    logits = verification.run_batches(function(graph), IMAGES, 1)
    with pytest.raises(InvalidModel, match="over another axis than the labels"):
        verification.verify_activation_removal(logits, outputs, str(operator))


def test_kind_of_numbers_is_found() -> None:
    logits = function(ending("Identity"))(IMAGES)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    sigmoids = 1 / (1 + np.exp(-logits))
    assert detect_kind(logits, 1e-5) == OutputSpec(kind="logits")
    assert detect_kind(softmax, 1e-5) == OutputSpec(kind="probabilities")
    assert detect_kind(np.log(softmax), 1e-5) == OutputSpec(kind="log_probabilities")
    assert detect_kind(sigmoids, 1e-5) == OutputSpec(kind="probabilities", multi_label=True)
    assert detect_kind(sigmoids[:, :1], 1e-5) == OutputSpec(kind="probabilities")
    assert detect_kind(logits[:, :1], 1e-5) == OutputSpec(kind="logits")


def test_constant_output_is_rejected() -> None:
    with pytest.raises(InvalidModel, match="the same output for 33 different images"):
        verification.reject_constant(np.ones((33, 4), dtype=np.float32))

"""Fixed batches made dynamic, softmax removal, and the verification of outputs."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import verification
from models.dynamic_batch import make_batch_dynamic
from models.graph import read_signature
from models.sandbox import InvalidModel
from models.softmax_removal import remove_softmax
from tests.models.graphs import LABELS, SIZE, ending, fixed, linear, model, node, weights

IMAGES = verification.random_images(33, 1, SIZE, 0, 1)


def with_dynamic_batch(graph: onnx.ModelProto) -> onnx.ModelProto:
    dynamic = onnx.ModelProto()
    dynamic.CopyFrom(graph)
    make_batch_dynamic(dynamic, read_signature(graph))
    return dynamic


def assert_same_outputs(graph: onnx.ModelProto) -> None:
    """Make a batch dynamic and verify that the outputs stay the same; a fixed batch gets whole batches only."""
    batch = read_signature(graph).batch or 1
    images = np.resize(IMAGES, (-(-len(IMAGES) // batch) * batch, *IMAGES.shape[1:]))
    expected = verification.run_batches(verification.open_session(graph), images, batch)
    verification.verify_batch_invariance(verification.open_session(with_dynamic_batch(graph)), images, expected)


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
    assert make_batch_dynamic(graph, read_signature(graph)) == []
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


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 17])
def test_softmax_at_the_end_is_removed(operator: str, opset: int) -> None:
    graph = ending(operator)
    graph.opset_import[0].version = opset
    outputs = verification.run_batches(verification.open_session(graph), IMAGES, 1)
    assert remove_softmax(graph, read_signature(graph)) == operator
    logits = verification.run_batches(verification.open_session(graph), IMAGES, 1)
    verification.verify_softmax_removal(logits, outputs, operator)
    verification.reject_non_logits(logits)
    np.testing.assert_array_equal(logits, verification.run_batches(verification.open_session(ending("Identity")), IMAGES, 1))


def test_softmax_before_a_flatten_is_removed() -> None:
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "l"), node("Softmax", "l", "p"), node("Flatten", "p", "y")]
    graph = model(nodes, {"w": weights()})
    assert remove_softmax(graph, read_signature(graph)) == "Softmax"


def test_softmax_over_the_batch_is_rejected() -> None:
    graph = ending("Softmax", axis=0)
    outputs = verification.run_batches(verification.open_session(graph), IMAGES, 1)
    operator = remove_softmax(graph, read_signature(graph))
    logits = verification.run_batches(verification.open_session(graph), IMAGES, 1)
    with pytest.raises(InvalidModel, match="over another axis than the labels"):
        verification.verify_softmax_removal(logits, outputs, str(operator))


def test_sigmoid_at_the_end_is_rejected() -> None:
    graph = ending("Sigmoid")
    with pytest.raises(InvalidModel, match="ends in a Sigmoid"):
        remove_softmax(graph, read_signature(graph))


def test_probabilities_without_a_softmax_are_rejected() -> None:
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "l"), node("Exp", "l", "e")]
    graph = model(
        [*nodes, node("ReduceSum", "e axes", "s"), node("Div", "e s", "y")], {"w": weights() / 8, "axes": np.array([1])}
    )
    assert remove_softmax(graph, read_signature(graph)) is None
    with pytest.raises(InvalidModel, match="returns probabilities"):
        verification.reject_non_logits(verification.run_batches(verification.open_session(graph), IMAGES, 1))


def test_constant_output_is_rejected() -> None:
    with pytest.raises(InvalidModel, match="the same output for 33 different images"):
        verification.reject_non_logits(np.ones((33, 4), dtype=np.float32))

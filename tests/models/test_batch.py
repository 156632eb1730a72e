"""A fixed batch made free, and the proof that it was."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import proof
from models.batch import free_batch
from models.graph import ends
from models.tail import cut_softmax
from models.trial import Refused
from tests.models.graphs import LABELS, SIZE, ending, fixed, linear, model, node, weights

ROWS = proof.pictures(33, 1, SIZE, 0, 1)


def freed(graph: onnx.ModelProto) -> onnx.ModelProto:
    free = onnx.ModelProto()
    free.CopyFrom(graph)
    free_batch(free, ends(graph))
    return free


def prove(graph: onnx.ModelProto) -> None:
    """Free a graph and show that it answers as before; whole batches only are shown to the fixed one."""
    batch = ends(graph).batch or 1
    rows = np.resize(ROWS, (-(-len(ROWS) // batch) * batch, *ROWS.shape[1:]))
    expected = proof.answers(proof.open_session(graph), rows, batch)
    proof.check_equal(proof.open_session(freed(graph)), rows, expected)


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
def test_a_fixed_batch_is_made_free(graph: onnx.ModelProto) -> None:
    prove(graph)


@settings(max_examples=30)
@given(st.integers(1, 5), st.sampled_from([(-1, 64), (-1, 8, 8), (8, -1), (4, 16), (2, 4, 8)]), st.booleans())
def test_any_shape_that_begins_with_the_batch_is_made_free(batch: int, inner: tuple[int, ...], as_node: bool) -> None:
    dims = np.array([batch, *inner])
    constant = [node("Constant", "", "dims", value_ints=dims.tolist())] if as_node else []
    nodes = [*constant, node("Reshape", "x dims", "inner"), node("Flatten", "inner", "flat"), node("MatMul", "flat w", "y")]
    constants: dict[str, Any] = {"w": weights()} if as_node else {"w": weights(), "dims": dims}
    prove(model(nodes, constants, shape=(batch, 1, SIZE, SIZE), answer=(batch, LABELS)))


def test_a_free_batch_is_left_alone() -> None:
    graph = linear()
    assert free_batch(graph, ends(graph)) == []
    assert graph == linear()


def test_a_shape_that_weights_share_stays_theirs() -> None:
    """The same constant reshapes the pictures and a weight: only the pictures get another."""
    nodes = [
        node("Reshape", "x dims", "flat"),
        node("Reshape", "w dims", "flat_w"),
        node("Mul", "flat flat_w", "weighed"),
        node("MatMul", "weighed v", "y"),
    ]
    constants = {"dims": np.array([1, 64]), "w": weights()[:, 0], "v": weights()}
    graph = model(nodes, constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))
    prove(graph)
    free = freed(graph)
    assert free.graph.node[2].input[1] == "dims"
    assert free.graph.initializer[0].name == "dims"


def test_a_constant_that_nothing_reads_any_more_goes() -> None:
    assert [one.name for one in freed(fixed()).graph.initializer] == ["wide", "w", "b"]


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
def test_a_batch_that_cannot_be_made_free_is_refused(nodes: list[onnx.NodeProto], constants: dict[str, Any]) -> None:
    end = [node("Reshape", "rest flat_dims", "flat"), node("MatMul", "flat w", "y")]
    wide = 72 if "v" in constants else 64
    constants = {**constants, "flat_dims": np.array([1, wide]), "w": np.resize(weights(), (wide, LABELS))}
    graph = model([*nodes, *end], constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))
    with pytest.raises(Refused, match=r"answers otherwise in a batch|cannot run a batch|answers a batch"):
        prove(graph)


def test_pictures_that_know_their_neighbours_are_refused_in_a_free_batch_too() -> None:
    nodes = [node("ReduceMean", "x", "m", axes=[0], keepdims=1), node("Mul", "m half", "h"), node("Sub", "x h", "rest")]
    ended = [*nodes, node("Flatten", "rest", "flat"), node("MatMul", "flat w", "y")]
    with pytest.raises(Refused, match=r"in a batch of 2 than alone .* pictures in one batch are mixed"):
        prove(model(ended, {"w": weights(), "half": 0.5}))


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 17])
def test_a_softmax_at_the_end_is_cut_off(kind: str, opset: int) -> None:
    graph = ending(kind)
    graph.opset_import[0].version = opset
    scores = proof.answers(proof.open_session(graph), ROWS, 1)
    assert cut_softmax(graph, ends(graph)) == kind
    logits = proof.answers(proof.open_session(graph), ROWS, 1)
    proof.check_same_words(logits, scores, kind)
    proof.check_answers(logits)
    np.testing.assert_array_equal(logits, proof.answers(proof.open_session(ending("Identity")), ROWS, 1))


def test_a_softmax_behind_a_reshape_is_cut_off() -> None:
    nodes = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "l"), node("Softmax", "l", "p"), node("Flatten", "p", "y")]
    graph = model(nodes, {"w": weights()})
    assert cut_softmax(graph, ends(graph)) == "Softmax"


def test_a_softmax_over_the_batch_is_refused() -> None:
    graph = ending("Softmax", axis=0)
    scores = proof.answers(proof.open_session(graph), ROWS, 1)
    kind = cut_softmax(graph, ends(graph))
    logits = proof.answers(proof.open_session(graph), ROWS, 1)
    with pytest.raises(Refused, match="does not go over the labels"):
        proof.check_same_words(logits, scores, str(kind))


def test_a_sigmoid_at_the_end_is_refused() -> None:
    graph = ending("Sigmoid")
    with pytest.raises(Refused, match="ends in a Sigmoid"):
        cut_softmax(graph, ends(graph))


def test_probabilities_without_a_softmax_are_refused() -> None:
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "l"), node("Exp", "l", "e")]
    graph = model(
        [*nodes, node("ReduceSum", "e axes", "s"), node("Div", "e s", "y")], {"w": weights() / 8, "axes": np.array([1])}
    )
    assert cut_softmax(graph, ends(graph)) is None
    with pytest.raises(Refused, match="gives probabilities"):
        proof.check_answers(proof.answers(proof.open_session(graph), ROWS, 1))


def test_a_model_that_answers_everything_alike_is_refused() -> None:
    with pytest.raises(Refused, match="the same to 33 different pictures"):
        proof.check_answers(np.ones((33, 4), dtype=np.float32))

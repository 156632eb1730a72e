"""Inputs of one picture, and of pictures in one row, become batches of pictures."""

import pytest

from models.graph import dimensions
from models.input_shape import add_batch, unflatten
from models.sandbox import InputHints
from models.signature import read_signature
from tests.models.graphs import linear


@pytest.mark.parametrize(
    ("shape", "hints", "expected"),
    [
        ((784,), InputHints(), [1, 784]),
        ((28, 28), InputHints(), [1, 28, 28]),
        ((20, 30), InputHints(height=20, width=30), [1, 20, 30]),
        ((3, 64, 48), InputHints(), [1, 3, 64, 48]),
        ((64, 48, 3), InputHints(), [1, 64, 48, 3]),
        ((None, None, 3), InputHints(height=64, width=48), [1, "?", "?", 3]),
        ((28, 28, 1), InputHints(), [1, 28, 28, 1]),
    ],
)
@pytest.mark.parametrize("opset", [11, 17])
def test_one_picture_becomes_a_batch(
    shape: tuple[int | None, ...], hints: InputHints, expected: list[int | str], opset: int
) -> None:
    graph = linear(shape=shape, opset=opset)
    (change,) = add_batch(graph, hints)
    assert change.startswith("a batch of one picture added to the input")
    assert dimensions(graph.graph.input[0]) == expected
    assert read_signature(graph, hints).batch == 1


@pytest.mark.parametrize(
    ("shape", "hints"),
    [
        (("N", 784), InputHints()),
        ((1, 784), InputHints()),
        ((64, 784), InputHints()),
        ((64, 64), InputHints(layout="NP")),
        ((1, 28, 28), InputHints()),
        ((3, 28, 28), InputHints(layout="NHW")),
        (("N", 28, 28), InputHints()),
        (("N", 784, 1), InputHints()),
        (("N", 3, 28, 28), InputHints()),
    ],
)
def test_batch_stays_as_it_is(shape: tuple[int | str, ...], hints: InputHints) -> None:
    graph = linear(shape=shape)
    assert add_batch(graph, hints) == []
    assert graph == linear(shape=shape)


@pytest.mark.parametrize(
    ("values", "hints", "expected"),
    [
        (3072, InputHints(layout="NCHW"), ["N", 3, 32, 32]),
        (3072, InputHints(layout="NHWC"), ["N", 32, 32, 3]),
        (784, InputHints(layout="NHWC"), ["N", 28, 28, 1]),
        (600, InputHints(layout="NCHW", height=10, width=20), ["N", 3, 10, 20]),
    ],
)
def test_row_of_values_becomes_a_picture_of_the_layout(values: int, hints: InputHints, expected: list[int | str]) -> None:
    graph = linear(shape=("N", values))
    assert unflatten(graph, hints) == [f"input of {values} values taken as {hints.layout}"]
    assert dimensions(graph.graph.input[0]) == expected


@pytest.mark.parametrize(("values", "layout"), [(3072, None), (3072, "NP"), (3071, "NCHW")])
def test_row_of_values_stays_a_row(values: int, layout: str | None) -> None:
    graph = linear(shape=("N", values))
    assert unflatten(graph, InputHints.model_validate({"layout": layout})) == []

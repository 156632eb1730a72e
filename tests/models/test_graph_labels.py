"""Labels and scaling that a graph holds."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.graph_labels import find_labels
from models.graph_scale import scales_pixels
from tests.models.forms import LABELS, label_and_scores, zip_map
from tests.models.graphs import SIZE, linear, model, node, weights


def with_metadata(key: str, text: str) -> onnx.ModelProto:
    graph = linear()
    helper.set_model_props(graph, {key: text})
    return graph


@pytest.mark.parametrize(
    ("key", "text", "labels"),
    [
        ("names", "{0: 'ant', 1: 'bee'}", ["ant", "bee"]),
        ("labels", '["ant", "bee"]', ["ant", "bee"]),
        ("id2label", '{"1": "bee", "0": "ant"}', ["ant", "bee"]),
        ("Classes", "ant, bee", ["ant", "bee"]),
        ("class_names", "ant\nbee, or wasp\n", ["ant", "bee, or wasp"]),
        ("labels", "[0, 1, 2]", ["0", "1", "2"]),
        ("labels", "{'bee': 1, 'ant': 0}", ["ant", "bee"]),
        ("labels", '{"0": ["n01", "ant"], "1": ["n02", "bee"]}', ["ant", "bee"]),
        ("labels", "0 ant\n1 bee\n", ["ant", "bee"]),
        ("labels", "3 ants\n1 bee\n", ["3 ants", "1 bee"]),
        ("labels", "one", []),
        ("labels", "{0: 'ant', 2: 'bee'}", []),
        ("labels", "[['ant'], ['bee']]", []),
        ("labels", "(" * 10_000, []),
        ("author", "ant, bee", []),
    ],
)
def test_labels_of_the_metadata(key: str, text: str, labels: list[str]) -> None:
    assert find_labels(with_metadata(key, text)) == labels


@pytest.mark.parametrize("graph", [zip_map(), label_and_scores()], ids=["ZipMap", "ArrayFeatureExtractor"])
def test_labels_of_scikit_learn(graph: onnx.ModelProto) -> None:
    assert find_labels(graph) == LABELS


def test_labels_of_a_zip_map_come_before_those_of_classifiers_inside() -> None:
    graph = zip_map()
    inner = node("LinearClassifier", "x", "a b", domain="ai.onnx.ml", coefficients=[1.0], classlabels_ints=[0, 1])
    graph.graph.node.insert(0, inner)
    assert find_labels(graph) == LABELS


def test_labels_of_a_classifier_operator() -> None:
    classifier = helper.make_node(
        "LinearClassifier", ["flat"], ["label", "y"], domain="ai.onnx.ml", coefficients=[1.0] * 128, classlabels_ints=[3, 5]
    )
    assert find_labels(model([node("Flatten", "x", "flat"), classifier], {}, domains=["ai.onnx.ml"])) == ["3", "5"]


@pytest.mark.parametrize(
    ("operator", "value", "scaled"),
    [
        ("Div", 255.0, True),
        ("Mul", 1 / 255, True),
        ("Sub", 127.5, True),
        ("Sub", 0.5, False),
        ("Div", 0.3, False),
        ("Mul", 2.0, False),
        ("Add", -103.9, True),
        ("QuantizeLinear", 1.0, True),
        ("QuantizeLinear", 1 / 255, False),
    ],
)
@pytest.mark.parametrize("as_node", [True, False])
def test_scaling_at_the_beginning_is_found(operator: str, value: float, scaled: bool, as_node: bool) -> None:
    constant = helper.make_tensor("c", TensorProto.FLOAT, [1], [value])
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node(operator, "t c", "s"), node("Flatten", "s", "f")]
    graph = model(
        [*nodes, node("MatMul", "f w", "y")],
        {"w": weights()} if as_node else {"w": weights(), "c": np.array([value], np.float32)},
    )
    if as_node:
        graph.graph.node.insert(0, helper.make_node("Constant", [], ["c"], value=constant))
    assert scales_pixels(graph, "x") == scaled


def test_graph_that_computes_at_once_does_not_scale() -> None:
    assert not scales_pixels(linear(shape=("N", 1, SIZE, SIZE)), "x")

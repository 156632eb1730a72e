"""Finds the labels that a graph holds: of a ZipMap, of a classifier of ai.onnx.ml, or in the metadata."""

from collections.abc import Iterable
from typing import Final

import onnx
from onnx import numpy_helper

from models.graph import producer_before
from models.labels import parse_label_text, texts

# Names of metadata entries that exporters write labels to; ``names`` is Ultralytics'.
METADATA_KEYS: Final = ("labels", "names", "classes", "class_names", "id2label", "classlabels")
ATTRIBUTES: Final = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
# Operators between the labels of a scikit-learn model and its output.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Cast")


def find_labels(model: onnx.ModelProto) -> list[str]:
    """The labels in a graph or its metadata, in the order of the scores; empty where there are none."""
    zip_maps = [node for node in model.graph.node if node.op_type == "ZipMap"]
    return _attribute(zip_maps) or _label_output(model.graph) or _attribute(model.graph.node) or _metadata(model)


def _attribute(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    """The labels in an attribute of the first node that has any."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in ATTRIBUTES and (attribute.strings or attribute.ints):
                return texts(attribute.strings or attribute.ints)
    return []


def _label_output(graph: onnx.GraphProto) -> list[str]:
    """The constant from which an ArrayFeatureExtractor takes the label that the model returns."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for output in graph.output:
        node = producer_before(graph, output.name, PASS_THROUGH)
        source = node.input[0] if node is not None and node.op_type == "ArrayFeatureExtractor" and node.input else None
        if source in constants:
            return texts(numpy_helper.to_array(constants[source]).ravel().tolist())
    return []


def _metadata(model: onnx.ModelProto) -> list[str]:
    entries = {entry.key.lower(): entry.value for entry in model.metadata_props}
    for key in METADATA_KEYS:
        labels = parse_label_text(entries.get(key, ""))
        if len(labels) == 1:  # one line
            labels = [part.strip() for part in labels[0].split(",") if part.strip()]
        if len(labels) > 1:
            return labels
    return []

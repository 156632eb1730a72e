"""Finds the labels that a graph holds: of a ZipMap, of a classifier of ai.onnx.ml, or in the metadata."""

import ast
import json
from collections.abc import Iterable
from typing import Any, Final

import onnx
from onnx import numpy_helper

from models.graph import producer_before

# Names of metadata entries that exporters write labels to; ``names`` is Ultralytics'.
METADATA_KEYS: Final = ("labels", "names", "classes", "class_names", "id2label", "classlabels")
ATTRIBUTES: Final = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
# Operators between the labels of a scikit-learn model and its output.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Cast")
MAX_LABELS: Final = 10_000


def find_labels(model: onnx.ModelProto) -> list[str]:
    """The labels in a graph or its metadata, in the order of the scores; empty where there are none."""
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ATTRIBUTES and (attribute.strings or attribute.ints):
                return _texts(attribute.strings or attribute.ints)
    return _label_output(model.graph) or _metadata(model)


def _label_output(graph: onnx.GraphProto) -> list[str]:
    """The constant from which an ArrayFeatureExtractor takes the label that the model returns."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for output in graph.output:
        node = producer_before(graph, output.name, PASS_THROUGH)
        source = node.input[0] if node is not None and node.op_type == "ArrayFeatureExtractor" and node.input else None
        if source in constants:
            return _texts(numpy_helper.to_array(constants[source]).ravel().tolist())
    return []


def _metadata(model: onnx.ModelProto) -> list[str]:
    entries = {entry.key.lower(): entry.value for entry in model.metadata_props}
    for key in METADATA_KEYS:
        if labels := _parse(entries.get(key, "")):
            return labels
    return []


def _parse(text: str) -> list[str]:
    """Labels written as JSON or a Python literal, a list or a mapping from numbers, or separated by commas or lines."""
    value: Any = None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
            break
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    if isinstance(value, dict):
        numbered = {str(key): label for key, label in value.items()}
        if {str(index) for index in range(len(numbered))} != numbered.keys():
            return []
        value = [numbered[str(index)] for index in range(len(numbered))]
    if isinstance(value, list | tuple):
        return _texts(value) if all(isinstance(one, str | int) for one in value) else []
    parts = text.splitlines() if "\n" in text.strip() else text.split(",")
    return [part.strip() for part in parts if part.strip()] if len(parts) > 1 else []


def _texts(values: Iterable[Any]) -> list[str]:
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
    return texts[:MAX_LABELS]

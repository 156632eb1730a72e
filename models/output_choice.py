"""Chooses the output of a graph that holds the scores of the labels, and leaves out the others."""

from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from models.activation_removal import PASS_THROUGH
from models.graph import element_type, producer_before
from models.outputs import OutputSpec, squeeze
from models.sandbox import InvalidModel
from models.verification import error_message
from preprocessing import Tensor

# Types of scores. A label that was predicted already is int64 or a string.
SCORES: Final = ("FLOAT", "FLOAT16", "DOUBLE", "UINT8", "INT8", "INT32")
LABELS: Final = ("INT64", "STRING")
# Operators that return the best labels, without the scores of the others.
CHOICES: Final = ("ArgMax", "TopK")
# Probabilities that were quantised to 256 levels sum to 1 with this error; sigmoids of many different images do not.
SUM_TOLERANCE: Final = 0.05


def remove_zip_maps(model: onnx.ModelProto) -> list[str]:
    """Change ``model`` in place to return the probabilities that a ZipMap turns into mappings; returns the changes as text."""
    graph = model.graph
    zipped = {node.output[0]: node for node in graph.node if node.op_type == "ZipMap"}
    for index, value in enumerate(graph.output):
        if node := zipped.get(value.name):
            graph.output[index].CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, ["N", None]))
            cast = helper.make_node("Cast", [node.input[0]], [value.name], to=TensorProto.FLOAT)  # it may be float64
            node.CopyFrom(cast)
    return ["ZipMap removed"] if zipped else []


def choose_output(model: onnx.ModelProto, session: Any, image: Tensor, wanted: str | None, labels: int | None) -> str:
    """The name of the output with a score for each label; ``image`` is a batch that the model is run on to find out.

    ``wanted`` is the name of the output where a card or an option sets it, and ``labels`` how many there are, if that is known.

    Raises:
        InvalidModel: there is none, or more than one that may be meant.
    """
    values = {value.name: value for value in model.graph.output}
    if wanted is not None and wanted not in values:
        raise InvalidModel(f"has no output {wanted!r}; it has {', '.join(values)}")
    names = [wanted] if wanted else [name for name, value in values.items() if element_type(value) in SCORES]
    chosen = [name for name in values if _is_choice(model.graph, name)]
    names = [name for name in names if name not in chosen]
    columns, shapes = {}, {}
    for name, scores in zip(names, run(session, names, image), strict=True):
        shapes[name] = list(scores.shape)
        try:
            columns[name] = squeeze(np.asarray(scores), len(image)).shape[1]
        except ValueError:
            continue
    if not columns:
        found = ", ".join(f"{name} ({shapes.get(name, element_type(value).lower())})" for name, value in values.items())
        without = ". Export it without the ArgMax or TopK at its end" if chosen else ""
        raise InvalidModel(f"has no class scores: a classifier returns [N, labels], this model {found or 'nothing'}{without}")
    if labels is None:
        fitting = list(columns)
    else:
        fitting = [name for name, count in columns.items() if count == labels or (count == 1 and labels == 2)]
    if len(columns) > 1 and (not fitting or (labels is None and len(set(columns.values())) > 1)):
        found = ", ".join(f"{name} ({count})" for name, count in columns.items())
        raise InvalidModel(f"has several outputs that may be the scores: {found}; give --output or the labels")
    return (fitting or list(columns))[0]


def _is_choice(graph: onnx.GraphProto, name: str) -> bool:
    node = producer_before(graph, name, PASS_THROUGH)
    return node is not None and node.op_type in CHOICES


def run(session: Any, names: list[str], batch: Tensor) -> list[Tensor]:
    """The outputs ``names`` of a batch.

    Raises:
        InvalidModel: the model cannot run it.
    """
    try:
        return list(session.run(names, {session.get_inputs()[0].name: batch})) if names else []
    except Exception as error:  # onnxruntime raises a class per fault, all of them outside its public API
        raise InvalidModel(f"cannot run a batch of {len(batch)}: {error_message(error)}") from error


def keep_output(model: onnx.ModelProto, name: str) -> list[str]:
    """Change ``model`` in place to have one output; returns the changes as text."""
    outputs = list(model.graph.output)
    if len(outputs) == 1:
        return []
    kept = next(value for value in outputs if value.name == name)
    others = [value.name for value in outputs if value is not kept]
    del model.graph.output[:]
    model.graph.output.append(kept)
    return [f"output {name} is used, {', '.join(others)} left out"]


def returns_label(model: onnx.ModelProto) -> bool:
    """Whether a model returns the best label as well, so that its scores are not each for themselves."""
    return any(element_type(value) in LABELS for value in model.graph.output)


def detect_kind(scores: Tensor, tolerance: float, *, is_linear: bool = False, is_single: bool = False) -> OutputSpec:
    """What the numbers of an output are, float32[N,K], for many different images.

    With ``is_linear`` they come from an operator that returns logits, so that they are no sigmoids. With ``is_single`` the
    model chooses one label, so that its scores are not each for themselves.
    """
    single = scores.shape[1] == 1
    sums_to_one = not single and np.allclose(scores.sum(axis=1), 1, atol=SUM_TOLERANCE)
    if (scores >= 0).all() and (scores <= 1 + tolerance).all() and (sums_to_one or not is_linear):
        return OutputSpec(kind="probabilities", multi_label=not (single or sums_to_one or is_single))
    if not single and (scores <= tolerance).all() and np.allclose(np.exp(scores).sum(axis=1), 1, atol=SUM_TOLERANCE):
        return OutputSpec(kind="log_probabilities")
    return OutputSpec()

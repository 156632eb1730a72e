"""Removes a softmax or sigmoid at the end of a model: the service applies it itself, after temperature scaling."""

from typing import Final

import onnx

from models.graph import ONNX_DOMAINS, producer_before

# Operators that pass values on unchanged, in another shape or type at most.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Dropout", "Cast")
ACTIVATIONS: Final = ("Softmax", "LogSoftmax", "Sigmoid")


def remove_activation(model: onnx.ModelProto, output: str) -> str | None:
    """Change ``model`` in place to return the input of a Softmax, LogSoftmax or Sigmoid at its end.

    Returns:
        The operator that was removed, or None. That it applied to the labels must be verified afterwards.
    """
    node = producer_before(model.graph, output, PASS_THROUGH)
    if node is None or node.domain not in ONNX_DOMAINS or node.op_type not in ACTIVATIONS:
        return None
    operator = str(node.op_type)
    node.op_type = "Identity"
    del node.attribute[:]
    return operator

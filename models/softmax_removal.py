"""Removes a softmax at the end of a model: the service applies the softmax itself, after temperature scaling."""

from typing import Final

import onnx

from models.dynamic_batch import ONNX_DOMAINS
from models.graph import Signature
from models.sandbox import InvalidModel

# Operators that pass values on unchanged, in another shape at most.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Dropout")


def remove_softmax(model: onnx.ModelProto, signature: Signature) -> str | None:
    """Change ``model`` in place to return the input of a Softmax or LogSoftmax at its end.

    Returns:
        The operator that was removed, or None. That the softmax was over the labels must be verified afterwards.

    Raises:
        InvalidModel: the model ends in a Sigmoid, and so is a multi-label classifier.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    node = producers.get(signature.output)
    while node is not None and node.op_type in PASS_THROUGH and node.domain in ONNX_DOMAINS:
        node = producers.get(node.input[0])
    if node is None or node.domain not in ONNX_DOMAINS:
        return None
    if node.op_type == "Sigmoid":
        raise InvalidModel("ends in a Sigmoid, which scores each label by itself; export a single-label classifier with logits")
    if node.op_type not in ("Softmax", "LogSoftmax"):
        return None
    operator = str(node.op_type)
    node.op_type = "Identity"
    del node.attribute[:]
    return operator

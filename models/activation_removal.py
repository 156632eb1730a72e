"""Finds what a model ends in, and removes a softmax or sigmoid: the service applies it itself, after temperature scaling."""

from typing import Final

import onnx

from models.graph import ONNX_DOMAINS, producer_before

# Operators that pass values on unchanged, in another shape or type at most.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Dropout", "Cast")
ACTIVATIONS: Final = ("Softmax", "LogSoftmax", "Sigmoid")
# Operators that return logits, and those that may follow them: SqueezeNet ends in a ReLU and the mean of each plane.
POOLING: Final = ("GlobalAveragePool", "AveragePool", "ReduceMean", "QuantizeLinear", "DequantizeLinear")
LINEAR: Final = ("Gemm", "QGemm", "MatMul", "Add", "Sum", "Conv", "Relu", "BatchNormalization", "FusedMatMul", "FusedConv")


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


def ends_linearly(graph: onnx.GraphProto, output: str) -> bool:
    """Whether an output comes from an operator that returns logits, so that numbers between 0 and 1 are no sigmoids."""
    node = producer_before(graph, output, (*PASS_THROUGH, *POOLING))
    return node is not None and node.op_type.removeprefix("QLinear") in LINEAR

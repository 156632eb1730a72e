"""Finds out whether a graph scales the pixels itself, and so takes 0 to 255."""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Values = npt.NDArray[np.float64]

# Operators between the input and its scaling.
PASS_THROUGH: Final = ("Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten")
# Divisors from here on (127.5, 128, 255), and means (103.939, 116.779), are of pixels of 0 to 255.
LEAST: Final = 16.0


def scales_pixels(model: onnx.ModelProto, source: str) -> bool:
    """Whether the first computation on the input ``source`` divides, multiplies or subtracts as for pixels of 0 to 255."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants.update((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")
    name = source
    for node in model.graph.node:
        if name not in node.input or node.op_type == "Shape":
            continue
        if node.op_type in PASS_THROUGH:
            name = node.output[0]
            continue
        values = [_values(constants[other]) if other in constants else None for other in node.input]
        return _takes_levels(node.op_type, [one for one, other in zip(values, node.input, strict=True) if other != name])
    return False


def _takes_levels(operator: str, constants: list[Values | None]) -> bool:
    """Whether an operator with these constants, in the order of its inputs, is meant for pixels of 0 to 255."""
    if operator == "BatchNormalization" and len(constants) >= 4:
        constants = constants[2:3]  # the means
    if not constants or constants[0] is None:
        return False
    largest = float(np.abs(constants[0]).max(initial=0.0))
    if operator in ("QuantizeLinear", "DequantizeLinear"):
        return largest * 255 >= LEAST
    if operator == "Mul":
        return 0 < largest <= 1 / LEAST
    return operator in ("Div", "Sub", "Add", "BatchNormalization") and largest >= LEAST


def _values(tensor: onnx.TensorProto) -> Values | None:
    if tensor.data_type == onnx.TensorProto.STRING:
        return None
    return np.asarray(numpy_helper.to_array(tensor), np.float64)

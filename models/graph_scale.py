"""Finds out whether a graph scales the pixels itself, and so takes 0 to 255."""

from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

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
        if name not in node.input:
            continue
        if node.op_type in PASS_THROUGH:
            name = node.output[0]
            continue
        others = [constants[other] for other in node.input if other != name and other in constants]
        if node.op_type not in ("Div", "Mul", "Sub") or not others or others[0].data_type == onnx.TensorProto.STRING:
            return False
        largest = float(np.abs(numpy_helper.to_array(others[0]).astype(np.float64)).max(initial=0.0))
        return 0 < largest <= 1 / LEAST if node.op_type == "Mul" else largest >= LEAST
    return False

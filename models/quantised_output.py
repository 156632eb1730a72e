"""Lets quantised outputs return the numbers that their levels stand for."""

from typing import Final

import onnx
from onnx import TensorProto, helper

from models.graph import producer_before, unused_name

LEVELS: Final = (TensorProto.UINT8, TensorProto.INT8)
# Operators between the quantisation of the scores and the output.
PASS_THROUGH: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Transpose")
# Where the scale of the result is among the inputs of an operator, with the zero point after it.
SCALES: Final = {"QuantizeLinear": 1, "QLinearConv": 6, "QLinearMatMul": 6, "QLinearAdd": 6, "QLinearMul": 6, "QGemm": 7}
SCALE_OF_ONE_ARGUMENT: Final = 3  # QLinearSoftmax, QLinearSigmoid, QLinearGlobalAveragePool


def dequantise_outputs(model: onnx.ModelProto) -> list[str]:
    """Change ``model`` in place to return float32 where an output is the levels of a quantisation; the changes as text."""
    graph, changed = model.graph, []
    for value in graph.output:
        if value.type.tensor_type.elem_type not in LEVELS:
            continue
        node = producer_before(graph, value.name, PASS_THROUGH)
        first = _scale_input(node) if node is not None else None
        if node is None or first is None or len(node.input) < first + 2:
            continue
        levels = unused_name(graph, f"{value.name}_levels")
        for other in graph.node:
            for names in (other.input, other.output):
                for index, name in enumerate(names):
                    if name == value.name:
                        names[index] = levels
        graph.node.append(helper.make_node("DequantizeLinear", [levels, *node.input[first : first + 2]], [value.name]))
        value.type.tensor_type.elem_type = TensorProto.FLOAT
        changed.append(value.name)
    return [f"levels of {', '.join(changed)} dequantised"] if changed else []


def _scale_input(node: onnx.NodeProto) -> int | None:
    """The index of the input with the scale of a node's result; None where it does not quantise."""
    if node.op_type in SCALES:
        return SCALES[node.op_type]
    return SCALE_OF_ONE_ARGUMENT if node.op_type.startswith("QLinear") else None

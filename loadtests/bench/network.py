"""Convolutional networks with random weights: one about a hundred times the size of the digit model, which is what a GPU is
for, and a small one that is slow."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# (channels, stride) of every 3x3 convolution, from 28x28 pixels down to 4x4.
CONVOLUTIONS: Final = ((64, 1), (128, 2), (256, 2), (512, 2), *((512, 1),) * 6)
LAST_SIDE: Final = 4
HIDDEN: Final = 240
LABELS: Final = 10
SLOW_CHANNELS: Final = 64
OPSET: Final = 17
IR_VERSION: Final = 8


def write_network(path: Path, seed: int = 0) -> int:
    """Write the network, float32[N,1,28,28] to float32[N,10], and give its number of parameters."""
    hand = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    parameters = 0

    def weight(name: str, shape: tuple[int, ...], fan_in: int) -> str:
        nonlocal parameters
        values = hand.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        weights.append(numpy_helper.from_array(values, name))
        parameters += values.size
        return name

    flow, channels = "input", 1
    for index, (width, stride) in enumerate(CONVOLUTIONS):
        inputs = [
            flow,
            weight(f"kernel{index}", (width, channels, 3, 3), channels * 9),
            weight(f"bias{index}", (width,), channels * 9),
        ]
        nodes += [
            helper.make_node("Conv", inputs, [f"conv{index}"], pads=[1] * 4, strides=[stride] * 2),
            helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"]),
        ]
        flow, channels = f"relu{index}", width
    features = channels * LAST_SIDE * LAST_SIDE
    hidden = [weight("hidden", (features, HIDDEN), features), weight("hidden_bias", (HIDDEN,), features)]
    last = [weight("last", (HIDDEN, LABELS), HIDDEN), weight("last_bias", (LABELS,), HIDDEN)]
    nodes += [
        helper.make_node("Flatten", [flow], ["features"]),
        helper.make_node("Gemm", ["features", *hidden], ["dense"]),
        helper.make_node("Relu", ["dense"], ["active"]),
        helper.make_node("Gemm", ["active", *last], ["logits"]),
    ]
    _save(path, "large", nodes, weights)
    return parameters


def write_slow(path: Path, convolutions: int, seed: int = 0) -> None:
    """Write a network, float32[N,1,28,28] to float32[N,10], that runs the same 3x3 convolution over and over: 58 million
    operations an image and convolution, about a third of a millisecond on a core."""
    hand = np.random.default_rng(seed)
    shapes = {"open": (SLOW_CHANNELS, 1, 3, 3), "again": (SLOW_CHANNELS, SLOW_CHANNELS, 3, 3), "last": (SLOW_CHANNELS, LABELS)}
    weights = [
        numpy_helper.from_array(hand.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes, flow = [], "input"
    for index in range(convolutions + 1):
        kernel = "again" if index else "open"
        nodes += [
            helper.make_node("Conv", [flow, kernel], [f"conv{index}"], pads=[1] * 4),
            helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"]),
        ]
        flow = f"relu{index}"
    nodes += [
        helper.make_node("GlobalAveragePool", [flow], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("Gemm", ["features", "last"], ["logits"]),
    ]
    _save(path, "slow", nodes, weights)


def _save(path: Path, name: str, nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]) -> None:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", LABELS])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)

"""Convolutional networks with random weights: a large one, which is what a GPU is for, and a small one that is slow."""

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


class _Network:
    """A chain of layers from ``input``; every layer takes the output of the last."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._last = "input"

    def weight(self, name: str, shape: tuple[int, ...], fan_in: int) -> str:
        """Add normally distributed weights with the variance 2 / ``fan_in``."""
        values = self._rng.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def layer(self, operator: str, output: str, *weights: str, **attributes: object) -> None:
        """Add a layer."""
        self._nodes.append(helper.make_node(operator, [self._last, *weights], [output], **attributes))
        self._last = output

    def save(self, path: Path, name: str) -> None:
        """Write the network, float32[N,1,28,28] to float32[N,10]."""
        inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, 28, 28])]
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", LABELS])]
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def write_large(path: Path, seed: int = 0) -> None:
    """Write a network with a hundred times as many parameters as the digit model."""
    network, channels = _Network(seed), 1
    for index, (width, stride) in enumerate(CONVOLUTIONS):
        kernel = network.weight(f"kernel{index}", (width, channels, 3, 3), channels * 9)
        bias = network.weight(f"bias{index}", (width,), channels * 9)
        network.layer("Conv", f"conv{index}", kernel, bias, pads=[1] * 4, strides=[stride] * 2)
        network.layer("Relu", f"relu{index}")
        channels = width
    features = channels * LAST_SIDE * LAST_SIDE
    network.layer("Flatten", "features")
    hidden, bias = network.weight("hidden", (features, HIDDEN), features), network.weight("hidden_bias", (HIDDEN,), features)
    network.layer("Gemm", "dense", hidden, bias)
    network.layer("Relu", "active")
    last, bias = network.weight("last", (HIDDEN, LABELS), HIDDEN), network.weight("last_bias", (LABELS,), HIDDEN)
    network.layer("Gemm", "logits", last, bias)
    network.save(path, "large")


def write_slow(path: Path, convolutions: int, seed: int = 0) -> None:
    """Write a network that repeats the same 3x3 convolution: 58 million operations an image and convolution, about a third of a
    millisecond on a core."""
    network = _Network(seed)
    network.weight("open", (SLOW_CHANNELS, 1, 3, 3), 9)
    network.weight("again", (SLOW_CHANNELS, SLOW_CHANNELS, 3, 3), SLOW_CHANNELS * 9)
    network.weight("last", (SLOW_CHANNELS, LABELS), LABELS)
    for index in range(convolutions + 1):
        network.layer("Conv", f"conv{index}", "again" if index else "open", pads=[1] * 4)
        network.layer("Relu", f"relu{index}")
    network.layer("GlobalAveragePool", "pooled")
    network.layer("Flatten", "features")
    network.layer("Gemm", "logits", "last")
    network.save(path, "slow")

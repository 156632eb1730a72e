"""Convolutional networks with random weights: a large one, which is what a GPU is for, a small one that is slow, and two for
other inputs, a photo and bytes with the channels last."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# (channels, stride) of every 3x3 convolution, from 28x28 pixels down to 4x4.
CONVOLUTIONS: Final = ((64, 1), (128, 2), (256, 2), (512, 2), *((512, 1),) * 6)
FEATURES: Final = 512 * 4 * 4
HIDDEN: Final = 240
LABELS: Final = 10
SLOW_CHANNELS: Final = 64
STEM_CHANNELS: Final = 32
OPSET: Final = 17
IR_VERSION: Final = 8


class _Network:
    """A chain of layers from ``input``; every layer takes the output of the last."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, *shape: int, fan_in: int) -> str:
        """Add normally distributed weights with the variance 2 / ``fan_in``; returns their name."""
        values = self._rng.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        self._weights.append(numpy_helper.from_array(values, f"weight{len(self._weights)}"))
        return f"weight{len(self._weights) - 1}"

    def layer(self, operator: str, *weights: str, **attributes: object) -> None:
        """Add a layer."""
        last = self._nodes[-1].output[0] if self._nodes else "input"
        self._nodes.append(helper.make_node(operator, [last, *weights], [f"layer{len(self._nodes)}"], **attributes))

    def save(self, path: Path, name: str, shape: tuple[int, ...] = (1, 28, 28), kind: int = TensorProto.FLOAT) -> None:
        """Write the network, with an input of ``shape`` an image, to float32[N,10]."""
        inputs = [helper.make_tensor_value_info("input", kind, ["N", *shape])]
        outputs = [helper.make_tensor_value_info(self._nodes[-1].output[0], TensorProto.FLOAT, ["N", LABELS])]
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def write_large(path: Path, seed: int = 0) -> None:
    """Write a network with a hundred times as many parameters as the digit model."""
    network, channels = _Network(seed), 1
    for width, stride in CONVOLUTIONS:
        kernel, bias = (network.weight(width, *rest, fan_in=channels * 9) for rest in ((channels, 3, 3), ()))
        network.layer("Conv", kernel, bias, pads=[1] * 4, strides=[stride] * 2)
        network.layer("Relu")
        channels = width
    network.layer("Flatten")
    for inputs, outputs in ((FEATURES, HIDDEN), (HIDDEN, LABELS)):
        network.layer("Gemm", network.weight(inputs, outputs, fan_in=inputs), network.weight(outputs, fan_in=inputs))
        if outputs == HIDDEN:
            network.layer("Relu")
    network.save(path, "large")


def write_slow(path: Path, convolutions: int, seed: int = 0) -> None:
    """Write a network that repeats the same 3x3 convolution: 58 million operations an image and convolution, about a third of a
    millisecond on a core."""
    network = _Network(seed)
    first = network.weight(SLOW_CHANNELS, 1, 3, 3, fan_in=9)
    again = network.weight(SLOW_CHANNELS, SLOW_CHANNELS, 3, 3, fan_in=SLOW_CHANNELS * 9)
    last = network.weight(SLOW_CHANNELS, LABELS, fan_in=LABELS)
    for kernel in (first, *[again] * convolutions):
        network.layer("Conv", kernel, pads=[1] * 4)
        network.layer("Relu")
    network.layer("GlobalAveragePool")
    network.layer("Flatten")
    network.layer("Gemm", last)
    network.save(path, "slow")


def write_photo(path: Path, seed: int = 0) -> None:
    """Write a small network for photos, float32[N,3,224,224]."""
    network = _Network(seed)
    _add_stem(network, fan_in=3 * 9)
    network.save(path, "photo", (3, 224, 224))


def write_channels_last(path: Path, seed: int = 0) -> None:
    """Write a small network for bytes with the channels last, uint8[N,64,64,3]."""
    network = _Network(seed)
    network.layer("Cast", to=TensorProto.FLOAT)
    network.layer("Transpose", perm=[0, 3, 1, 2])
    _add_stem(network, fan_in=3 * 9 * 255**2)  # levels of 0 to 255
    network.save(path, "bytes", (64, 64, 3), TensorProto.UINT8)


def _add_stem(network: _Network, fan_in: int) -> None:
    """Add one convolution with a stride, global average pooling and a linear layer."""
    network.layer("Conv", network.weight(STEM_CHANNELS, 3, 3, 3, fan_in=fan_in), pads=[1] * 4, strides=[4, 4])
    network.layer("Relu")
    network.layer("GlobalAveragePool")
    network.layer("Flatten")
    network.layer("Gemm", network.weight(STEM_CHANNELS, LABELS, fan_in=STEM_CHANNELS))

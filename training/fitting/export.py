"""Exports a trained network to ONNX and verifies that the file answers as the network does."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.fitting.network import MergedClasses, ResidualBlock

OPSET: Final = 17
IR_VERSION: Final = 8
TOLERANCE: Final = 1e-4
BATCHES: Final = (1, 2, 7, 32)
# These names are part of the file: while they stay, the same weights give the same bytes.
PRODUCER: Final = "training.export"
FINE_CLASSES: Final = "kinds"


class ExportError(Exception):
    """The network cannot be exported, or its file gives other answers than the network."""


def export(network: nn.Sequential, path: Path, images: npt.NDArray[np.uint8]) -> None:
    """Write ``network`` as ONNX (input ``input`` float32[N, 1, H, W], output ``logits`` float32[N, K]) and verify it.

    Batch normalisation is folded into the convolutions and dropout left out. The logits of the file must be within 1e-4 of
    PyTorch's, for random images and for model inputs ``images`` ``uint8[at least 32, H, W]``, in batches of 1, 2, 7 and 32.

    Raises:
        ExportError: a layer is not supported, or the logits differ.
    """
    network.eval()
    onnx.save(graph(network, path.resolve().parent.name, images.shape[1:]), path)
    difference = largest_difference(network, path, images)
    if not difference <= TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.2e}, more than {TOLERANCE:.0e}.")


def graph(network: nn.Sequential, name: str, shape: tuple[int, ...]) -> onnx.ModelProto:
    """Build the ONNX model of a network in evaluation mode, for images of ``shape`` (H, W)."""
    writer = _Writer()
    nodes = writer.chain(network, "input")
    nodes[-1].output[0] = "logits"
    with torch.inference_mode():
        classes = network(torch.zeros(1, 1, *shape)).shape[1]
    tensors = [
        helper.make_tensor_value_info(tensor, TensorProto.FLOAT, sizes)
        for tensor, sizes in (("input", ["N", 1, *shape]), ("logits", ["N", classes]))
    ]
    body = helper.make_graph(nodes, name, tensors[:1], tensors[1:], initializer=writer.weights)
    written = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    written.producer_name = PRODUCER
    onnx.checker.check_model(written, full_check=True)
    return written


class _Writer:
    """Collects the nodes and weights of a graph, with numbered names."""

    def __init__(self) -> None:
        self.weights: list[onnx.TensorProto] = []
        self._count = 0

    def chain(self, layers: nn.Sequential, current: str) -> list[onnx.NodeProto]:
        """Write the nodes of consecutive layers, the first with input ``current``."""
        nodes: list[onnx.NodeProto] = []
        for layer in _folded(layers):
            nodes += self._layer(layer, nodes[-1].output[0] if nodes else current)
        return nodes

    def _layer(self, layer: nn.Module, current: str) -> list[onnx.NodeProto]:
        if isinstance(layer, nn.Conv2d):
            options = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": layer.padding * 2}
            return [self._node("Conv", [current, *self._parameters(layer)], **options)]
        if isinstance(layer, nn.Linear):
            return [self._node("Gemm", [current, *self._parameters(layer)], transB=1)]
        if isinstance(layer, nn.ReLU):
            return [self._node("Relu", [current])]
        if isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size == 1:
            return [self._node("GlobalAveragePool", [current])]
        if isinstance(layer, nn.Flatten):
            return [self._node("Flatten", [current], axis=1)]
        if isinstance(layer, ResidualBlock):
            body = self.chain(layer.body, current)
            total = self._node("Add", [current, body[-1].output[0]])
            return [*body, total, self._node("Relu", [total.output[0]])]
        if isinstance(layer, MergedClasses):
            return self._merged_classes(layer.sizes, current)
        raise ExportError(f"{type(layer).__name__} cannot be exported. Add it to training/fitting/export.py.")

    def _merged_classes(self, sizes: list[int], current: str) -> list[onnx.NodeProto]:
        self.weights.append(numpy_helper.from_array(np.array(sizes, dtype=np.int64), "sizes"))
        parts = [f"{FINE_CLASSES}_{number}" for number in range(len(sizes))]
        split = helper.make_node("Split", [current, "sizes"], parts, axis=1)
        sums = [self._node("ReduceLogSumExp", [part], axes=[1], keepdims=1) for part in parts]
        return [split, *sums, self._node("Concat", [one.output[0] for one in sums], axis=1)]

    def _node(self, kind: str, inputs: list[str], **options: Any) -> onnx.NodeProto:
        self._count += 1
        return helper.make_node(kind, inputs, [f"{kind.lower()}_{self._count}"], **options)

    def _parameters(self, layer: nn.Conv2d | nn.Linear) -> list[str]:
        names = []
        for kind, values in (("weight", layer.weight), ("bias", layer.bias)):
            assert values is not None
            names.append(f"{kind}_{len(self.weights)}")
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values.detach().numpy(), np.float32), names[-1]))
        return names


def _folded(network: nn.Sequential) -> list[nn.Module]:
    """Fold each batch normalisation into the convolution before it, and leave dropout out."""
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        elif not isinstance(layer, nn.Dropout):
            layers.append(layer)
    return layers


def largest_difference(network: nn.Module, path: Path, images: npt.NDArray[np.uint8]) -> float:
    """Find the largest difference between PyTorch's and ONNX Runtime's logits, over random and real batches."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    largest = 0.0
    for size in BATCHES:
        real = images[random.choice(len(images), size, replace=len(images) < size)][:, None].astype(np.float32) / 255
        for batch in (random.random((size, 1, *images.shape[1:]), dtype=np.float32), real):
            with torch.inference_mode():
                expected = network(torch.from_numpy(batch)).numpy()
            answered = session.run(["logits"], {"input": batch})[0]
            if answered.shape != expected.shape:
                raise ExportError(f"{path}: ONNX Runtime answers {answered.shape}, PyTorch {expected.shape}.")
            largest = max(largest, float(np.abs(answered - expected).max()))
    return largest

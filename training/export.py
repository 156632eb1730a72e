"""A trained network as an ONNX file that any ONNX Runtime reads, and the proof that it is the same network."""

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

from training.network import Merged, Residual

OPSET: Final = 17
IR_VERSION: Final = 8
TOLERANCE: Final = 1e-4
BATCHES: Final = (1, 2, 7, 32)


class ExportError(Exception):
    """A network that cannot be exported, or whose file answers otherwise than the network."""


def export(model: nn.Sequential, path: Path, frames: npt.NDArray[np.uint8]) -> None:
    """Write ``model`` as ONNX (input ``input`` float32[N, 1, H, W], output ``logits`` float32[N, K]) and check it.

    Batch normalisation is folded into the convolutions and dropout left out. The file must answer as PyTorch does, to
    1e-4, for random pictures and for ``frames`` (``uint8[at least 32, H, W]``), in batches of 1, 2, 7 and 32.

    Raises:
        ExportError: a layer this module does not know, or a difference.
    """
    model.eval()
    onnx.save(graph(model, path.resolve().parent.name, frames.shape[1:]), path)
    difference = largest_difference(model, path, frames)
    if not difference <= TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.2e}, more than {TOLERANCE:.0e}.")


def graph(model: nn.Sequential, name: str, shape: tuple[int, ...]) -> onnx.ModelProto:
    """The ONNX model of a network for pictures of ``shape`` (H, W) in eval mode."""
    writer = _Writer()
    nodes = writer.chain(model, "input")
    nodes[-1].output[0] = "logits"
    with torch.inference_mode():
        classes = model(torch.zeros(1, 1, *shape)).shape[1]
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, sizes)
        for end, sizes in (("input", ["N", 1, *shape]), ("logits", ["N", classes]))
    ]
    body = helper.make_graph(nodes, name, ends[:1], ends[1:], initializer=writer.weights)
    written = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    written.producer_name = "training.export"
    onnx.checker.check_model(written, full_check=True)
    return written


class _Writer:
    """Nodes and weights of a graph, numbered as they are written."""

    def __init__(self) -> None:
        self.weights: list[onnx.TensorProto] = []
        self._count = 0

    def chain(self, layers: nn.Sequential, current: str) -> list[onnx.NodeProto]:
        """The nodes of layers in a row, the first of which is given ``current``."""
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
        if isinstance(layer, Residual):
            body = self.chain(layer.body, current)
            total = self._node("Add", [current, body[-1].output[0]])
            return [*body, total, self._node("Relu", [total.output[0]])]
        if isinstance(layer, Merged):
            return self._merged(layer.sizes, current)
        raise ExportError(f"{type(layer).__name__} cannot be exported: add it to training/export.py.")

    def _merged(self, sizes: list[int], current: str) -> list[onnx.NodeProto]:
        self.weights.append(numpy_helper.from_array(np.array(sizes, dtype=np.int64), "sizes"))
        parts = [f"kinds_{number}" for number in range(len(sizes))]
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


def _folded(model: nn.Sequential) -> list[nn.Module]:
    """The layers in order, each batch normalisation folded into the convolution before it, dropout left out."""
    layers: list[nn.Module] = []
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        elif not isinstance(layer, nn.Dropout):
            layers.append(layer)
    return layers


def largest_difference(model: nn.Module, path: Path, frames: npt.NDArray[np.uint8]) -> float:
    """The largest difference between PyTorch's and ONNX Runtime's logits, over random and real batches of several sizes."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    largest = 0.0
    for size in BATCHES:
        real = frames[random.choice(len(frames), size, replace=len(frames) < size)][:, None].astype(np.float32) / 255
        for pictures in (random.random((size, 1, *frames.shape[1:]), dtype=np.float32), real):
            with torch.inference_mode():
                expected = model(torch.from_numpy(pictures)).numpy()
            answered = session.run(["logits"], {"input": pictures})[0]
            if answered.shape != expected.shape:
                raise ExportError(f"{path}: answers {answered.shape} where PyTorch answers {expected.shape}.")
            largest = max(largest, float(np.abs(answered - expected).max()))
    return largest

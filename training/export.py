"""A trained network as an ONNX file that any ONNX Runtime reads, and the proof that it is the same network."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

OPSET: Final = 17
IR_VERSION: Final = 8
TOLERANCE: Final = 1e-4
BATCHES: Final = (1, 2, 7, 32)


class ExportError(Exception):
    """A network that cannot be exported, or whose file answers otherwise than the network."""


def export(model: nn.Sequential, path: Path, frames: npt.NDArray[np.uint8]) -> None:
    """Write ``model`` as ONNX (input ``input`` float32[N, 1, 28, 28], output ``logits`` float32[N, 10]) and check it.

    Batch normalisation is folded into the convolutions and dropout left out. The file must answer as PyTorch does, to
    1e-4, for random pictures and for ``frames`` (``uint8[at least 32, 28, 28]``), in batches of 1, 2, 7 and 32.

    Raises:
        ExportError: a layer this module does not know, or a difference.
    """
    model.eval()
    onnx.save(graph(folded(model)), path)
    difference = largest_difference(model, path, frames)
    if not difference <= TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.2e}, more than {TOLERANCE:.0e}.")


def folded(model: nn.Sequential) -> list[nn.Module]:
    """The layers in order, each batch normalisation folded into the convolution before it, dropout left out."""
    layers: list[nn.Module] = []
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        elif not isinstance(layer, nn.Dropout):
            layers.append(layer)
    return layers


def graph(layers: list[nn.Module]) -> onnx.ModelProto:
    """The ONNX model of a chain of convolutions, ReLUs, a flattening and linear layers."""
    nodes, weights, current = [], [], "input"
    for number, layer in enumerate(layers):
        output = "logits" if number == len(layers) - 1 else f"layer_{number}"
        inputs = [current]
        if isinstance(layer, nn.Conv2d | nn.Linear):
            for kind, values in (("weight", layer.weight), ("bias", layer.bias)):
                inputs.append(f"{kind}_{number}")
                weights.append(numpy_helper.from_array(values.detach().numpy().astype(np.float32), inputs[-1]))
        if isinstance(layer, nn.Conv2d):
            options = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": layer.padding * 2}
            nodes.append(helper.make_node("Conv", inputs, [output], **options))
        elif isinstance(layer, nn.Linear):
            nodes.append(helper.make_node("Gemm", inputs, [output], transB=1))
        elif isinstance(layer, nn.ReLU):
            nodes.append(helper.make_node("Relu", inputs, [output]))
        elif isinstance(layer, nn.Flatten):
            nodes.append(helper.make_node("Flatten", inputs, [output], axis=1))
        else:
            raise ExportError(f"{type(layer).__name__} cannot be exported: add it to training/export.py.")
        current = output
    shapes = (("input", ["N", 1, 28, 28]), ("logits", ["N", layers[-1].out_features]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    body = helper.make_graph(nodes, "digits", ends[:1], ends[1:], initializer=weights)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "training.export"
    onnx.checker.check_model(model, full_check=True)
    return model


def largest_difference(model: nn.Module, path: Path, frames: npt.NDArray[np.uint8]) -> float:
    """The largest difference between PyTorch's and ONNX Runtime's logits, over random and real batches of several sizes."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    largest = 0.0
    for size in BATCHES:
        real = frames[random.choice(len(frames), size, replace=len(frames) < size)][:, None].astype(np.float32) / 255
        for pictures in (random.random((size, 1, 28, 28), dtype=np.float32), real):
            with torch.inference_mode():
                expected = model(torch.from_numpy(pictures)).numpy()
            answered = session.run(["logits"], {"input": pictures})[0]
            if answered.shape != expected.shape:
                raise ExportError(f"{path}: answers {answered.shape} where PyTorch answers {expected.shape}.")
            largest = max(largest, float(np.abs(answered - expected).max()))
    return largest

"""Files as PyTorch's two exporters and the quantisation of ONNX Runtime write them are imported, and compute the same."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from torch import nn

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.evaluation import open_model
from models.outputs import probabilities
from tests.models.forms import softmax

SIDE = 16
LABELS = "ant,bee,cat"
IMAGES = np.random.default_rng(0).random((5, 3, SIDE, SIDE), dtype=np.float32)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 3), nn.Softmax(1)
    ).eval()


def export(path: Path, batch: int = 1, *, dynamo: bool = False, **options: Any) -> Path:
    """Export a network with PyTorch's TorchScript exporter, or with its newer one where ``dynamo``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network(), (torch.zeros(batch, 3, SIDE, SIDE),), path, dynamo=dynamo, **options)
    return path


def answers(catalogue: Path) -> list[list[float]]:
    """The probabilities of the imported model."""
    folder = catalogue / "exported"
    card = read_card(folder / CARD_FILE)
    assert isinstance(card, ModelCard)
    function = open_model(folder / MODEL_FILE, card)
    return [probabilities(logits, card.output, 1).tolist() for logits in function(IMAGES)]


def by_hand(path: Path) -> list[list[float]]:
    """The outputs of the file itself, one image at a time."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rows = [np.asarray(session.run(None, {name: image[None]})[0])[0] for image in IMAGES]
    return [(row / row.sum()).tolist() if 0.95 < row.sum() < 1.05 else softmax(row).tolist() for row in rows]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch": 8},
        {"input_names": ["pixel_values"], "dynamic_axes": {"pixel_values": {0: "batch"}}},
        {"keep_initializers_as_inputs": True},
        {"opset_version": 9},
        {"dynamo": True, "verbose": False},
        {"dynamo": True, "verbose": False, "batch": 2, "dynamic_shapes": ({0: "batch"},)},
    ],
    ids=["fixed", "batch of 8", "dynamic", "weights as inputs", "opset 9", "dynamo fixed", "dynamo dynamic"],
)
def test_file_of_pytorch(catalogue: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    path = export(tmp_path / "exported.onnx", **options)
    assert main(["import", str(path), "--name", "exported", "--labels", LABELS, "--preset", "imagenet"]) == 0
    card = read_card(catalogue / "exported" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.fixed_batch is None
    expected = network()(torch.from_numpy(IMAGES)).tolist()
    np.testing.assert_allclose(answers(catalogue), expected, atol=1e-5)


def test_dynamically_quantised_file(catalogue: Path, tmp_path: Path) -> None:
    source = export(tmp_path / "exported.onnx")
    path = tmp_path / "quantised.onnx"
    quantize_dynamic(source, path)
    assert main(["import", str(path), "--name", "exported", "--labels", LABELS]) == 0
    np.testing.assert_allclose(answers(catalogue), by_hand(path), atol=1e-5)


class Images(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, name: str) -> None:
        self._images = iter(IMAGES)
        self._name = name

    def get_next(self) -> dict[str, Any] | None:
        image = next(self._images, None)
        return None if image is None else {self._name: image[None]}


@pytest.mark.parametrize("per_channel", [False, True], ids=["per tensor", "per channel"])
@pytest.mark.parametrize("form", [QuantFormat.QDQ, QuantFormat.QOperator])
def test_statically_quantised_file(catalogue: Path, tmp_path: Path, form: QuantFormat, per_channel: bool) -> None:
    source = export(tmp_path / "exported.onnx")
    path = tmp_path / "quantised.onnx"
    name = onnx.load(source).graph.input[0].name
    quantize_static(source, path, Images(name), quant_format=form, per_channel=per_channel)
    assert main(["import", str(path), "--name", "exported", "--labels", LABELS]) == 0
    np.testing.assert_allclose(answers(catalogue), by_hand(path), atol=1e-2)

"""Exporting networks to ONNX."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import onnx
import onnxruntime as ort
import torch
from torch import nn

from training.fitting.export import ExportError, export, graph, largest_difference
from training.fitting.network import MergedClasses, plain_cnn, residual_cnn

NETWORKS = {
    "convolutions": lambda: plain_cnn((16, 32, 48, 64, 80, 96), 10),
    "merged": lambda: nn.Sequential(*plain_cnn((8, 16, 24, 32, 40, 48), 7), MergedClasses([4, 1, 2])),
    "residual": lambda: residual_cnn((8, 12, 16), (1, 2, 1), 5),
}


@pytest.fixture(scope="module")
def images() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest, images: npt.NDArray[np.uint8]) -> nn.Sequential:
    """A network whose batch normalisations have been trained for some steps."""
    torch.manual_seed(0)
    model = NETWORKS[request.param]()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    model.train()
    for _ in range(3):
        model(torch.from_numpy(images)[:, None].float() / 255)
    return model


@pytest.mark.parametrize("count", [1, 3, 40])
def test_file_has_the_logits_of_the_network(
    network: nn.Sequential, images: npt.NDArray[np.uint8], tmp_path: Path, count: int
) -> None:
    path = tmp_path / "model.onnx"
    export(network, path, images)
    batch = images[:count, None].astype(np.float32) / 255
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(batch)).numpy()
    (answers,) = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["logits"], {"input": batch})
    assert np.abs(expected).max() > 0.1
    assert answers == pytest.approx(expected, abs=1e-4)


def test_file_is_small_has_standard_operators_and_any_batch_size(
    network: nn.Sequential, images: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "digits" / "model.onnx"
    path.parent.mkdir()
    export(network, path, images)
    assert path.stat().st_size <= 1_000_000
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    classes = network.eval()(torch.zeros(1, 1, 28, 28)).shape[1]
    assert (taken.name, taken.shape, given.name, given.shape) == ("input", ["N", 1, 28, 28], "logits", ["N", classes])
    body = onnx.load(path).graph
    assert body.name == "digits"
    plain = {"Conv", "Relu", "Add", "GlobalAveragePool", "Flatten", "Gemm", "Split", "ReduceLogSumExp", "Concat"}
    assert {node.op_type for node in body.node} <= plain


def test_export_leaves_the_network_unchanged(network: nn.Sequential) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    graph(network.eval(), "copy", (28, 28))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert any(isinstance(layer, nn.Dropout) for layer in network)


def test_file_of_another_network_differs(network: nn.Sequential, images: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    export(network, tmp_path / "model.onnx", images)
    other = nn.Sequential(nn.Flatten(), nn.Linear(784, network.eval()(torch.zeros(1, 1, 28, 28)).shape[1]))
    assert largest_difference(other.eval(), tmp_path / "model.onnx", images) > 1e-3
    more = nn.Sequential(nn.Flatten(), nn.Linear(784, 77))
    with pytest.raises(ExportError, match="ONNX Runtime answers"):
        largest_difference(more.eval(), tmp_path / "model.onnx", images)


@pytest.mark.parametrize("layer", [nn.Tanh(), nn.AdaptiveAvgPool2d(2), nn.MaxPool2d(2)])
def test_unsupported_layer_is_named(layer: nn.Module, images: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=f"{type(layer).__name__} cannot be exported. Add it"):
        export(nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(10)), tmp_path / "model.onnx", images)
    assert not (tmp_path / "model.onnx").exists()


def test_layer_that_is_exported_wrongly_raises_export_error(images: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    wrapped = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular")
    with pytest.raises(ExportError, match="ONNX Runtime and PyTorch differ by"):
        export(nn.Sequential(wrapped, nn.Flatten(), nn.Linear(2 * 784, 10)), tmp_path / "model.onnx", images)


def test_graph_is_named_after_the_folder_of_a_relative_path(
    images: npt.NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export(nn.Sequential(nn.Flatten(), nn.Linear(784, 3)), Path("model.onnx"), images)
    assert onnx.load("model.onnx").graph.name == tmp_path.name

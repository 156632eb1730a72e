"""training.export: the file is the network."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import onnx
import onnxruntime as ort
import torch
from torch import nn

from training.export import ExportError, export, graph, largest_difference
from training.network import Merged, convolutions, residual

NETWORKS = {
    "convolutions": lambda: convolutions((16, 32, 48, 64, 80, 96), 10),
    "merged": lambda: nn.Sequential(*convolutions((8, 16, 24, 32, 40, 48), 7), Merged([4, 1, 2])),
    "residual": lambda: residual((8, 12, 16), (1, 2, 1), 5),
}


@pytest.fixture(scope="module")
def frames() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest, frames: npt.NDArray[np.uint8]) -> nn.Sequential:
    """A network whose normalisations have seen pictures and do something."""
    torch.manual_seed(0)
    model = NETWORKS[request.param]()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    model.train()
    for _ in range(3):
        model(torch.from_numpy(frames)[:, None].float() / 255)
    return model


@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_file_answers_as_the_network_does(
    network: nn.Sequential, frames: npt.NDArray[np.uint8], tmp_path: Path, count: int
) -> None:
    path = tmp_path / "model.onnx"
    export(network, path, frames)
    pictures = frames[:count, None].astype(np.float32) / 255
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(pictures)).numpy()
    (answers,) = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["logits"], {"input": pictures})
    assert np.abs(expected).max() > 0.1
    assert answers == pytest.approx(expected, abs=1e-4)


def test_the_file_is_small_plain_and_takes_any_number_of_pictures(
    network: nn.Sequential, frames: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "digits" / "model.onnx"
    path.parent.mkdir()
    export(network, path, frames)
    assert path.stat().st_size <= 1_000_000
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    classes = network.eval()(torch.zeros(1, 1, 28, 28)).shape[1]
    assert (taken.name, taken.shape, given.name, given.shape) == ("input", ["N", 1, 28, 28], "logits", ["N", classes])
    body = onnx.load(path).graph
    assert body.name == "digits"
    plain = {"Conv", "Relu", "Add", "GlobalAveragePool", "Flatten", "Gemm", "Split", "ReduceLogSumExp", "Concat"}
    assert {node.op_type for node in body.node} <= plain


def test_dropout_and_normalisation_leave_the_network_that_is_trained_as_it_was(network: nn.Sequential) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    graph(network.eval(), "copy", (28, 28))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert any(isinstance(layer, nn.Dropout) for layer in network)


def test_a_file_of_another_network_is_found_out(network: nn.Sequential, frames: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    export(network, tmp_path / "model.onnx", frames)
    other = nn.Sequential(nn.Flatten(), nn.Linear(784, network.eval()(torch.zeros(1, 1, 28, 28)).shape[1]))
    assert largest_difference(other.eval(), tmp_path / "model.onnx", frames) > 1e-3
    more = nn.Sequential(nn.Flatten(), nn.Linear(784, 77))
    with pytest.raises(ExportError, match="where PyTorch answers"):
        largest_difference(more.eval(), tmp_path / "model.onnx", frames)


@pytest.mark.parametrize("layer", [nn.Tanh(), nn.AdaptiveAvgPool2d(2), nn.MaxPool2d(2)])
def test_a_layer_that_cannot_be_exported_is_named(layer: nn.Module, frames: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=f"{type(layer).__name__} cannot be exported: add it"):
        export(nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(10)), tmp_path / "model.onnx", frames)
    assert not (tmp_path / "model.onnx").exists()


def test_a_layer_that_would_answer_otherwise_is_noticed(frames: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    wrapped = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular")
    with pytest.raises(ExportError, match="ONNX Runtime and PyTorch differ by"):
        export(nn.Sequential(wrapped, nn.Flatten(), nn.Linear(2 * 784, 10)), tmp_path / "model.onnx", frames)


def test_a_file_can_be_written_where_one_is(
    frames: npt.NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export(nn.Sequential(nn.Flatten(), nn.Linear(784, 3)), Path("model.onnx"), frames)
    assert onnx.load("model.onnx").graph.name == tmp_path.name

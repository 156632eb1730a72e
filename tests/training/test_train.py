"""The PyTorch half of training/: a real, tiny run from pictures to a card. Skipped where PyTorch is not installed."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import onnxruntime as ort
import torch
from torch import nn

from models.card import read_card
from training import digits
from training.batches import batches, change, targets
from training.datasets import Labelled
from training.export import ExportError, export, folded, largest_difference
from training.frames import bank
from training.network import logits, network, parameters
from training.outliers import OUTLIER
from training.strokes import draw
from training.train import Epoch, Settings, train


@pytest.fixture(scope="module")
def drawings() -> Labelled:
    labels = np.tile(np.arange(10, dtype=np.int64), 40)
    return Labelled(bank(draw, labels, seed=1, processes=1), labels)


@pytest.fixture(scope="module")
def trained(drawings: Labelled) -> tuple[nn.Sequential, list[Epoch]]:
    reported: list[Epoch] = []
    settings = Settings(epochs=6, batch=40, averaging=0.8, threads=1)
    torch.manual_seed(0)
    model, curve = train(network(), lambda _: drawings, {"drawings": drawings}, settings, reported.append)
    assert reported == curve
    return model, curve


def test_the_loop_learns(trained: tuple[nn.Sequential, list[Epoch]], drawings: Labelled) -> None:
    model, curve = trained
    assert curve[-1].loss < curve[0].loss
    assert max(line.accuracy["drawings"] for line in curve) > 0.5
    right = logits(model, torch.from_numpy(drawings.images)).argmax(dim=1).numpy() == drawings.labels
    lowest = min(curve, key=lambda line: line.validation_loss["drawings"])
    assert right.mean() == pytest.approx(lowest.accuracy["drawings"])


def test_the_loop_stops_early_when_nothing_gets_better(drawings: Labelled) -> None:
    settings = Settings(epochs=9, batch=40, peak_rate=1e-12, averaging=0.0, patience=2, threads=1)
    wrong = Labelled(drawings.images[:80], (drawings.labels[:80] + 1) % 10)
    _, curve = train(network(), lambda _: wrong, {}, settings, lambda _: None)
    assert len(curve) == 3


def test_a_bank_smaller_than_a_batch_is_refused(drawings: Labelled) -> None:
    with pytest.raises(ValueError, match="do not fill one batch"):
        train(network(), lambda _: drawings, {}, Settings(batch=1000), lambda _: None)


def test_the_network_is_small() -> None:
    assert 60_000 <= parameters(network()) <= 200_000


def test_the_file_answers_as_the_network_does(
    trained: tuple[nn.Sequential, list[Epoch]], drawings: Labelled, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export(trained[0], path, drawings.images)
    assert path.stat().st_size <= 1_000_000
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.shape, given.name, given.shape) == ("input", ["N", 1, 28, 28], "logits", ["N", 10])
    assert not any(isinstance(layer, nn.BatchNorm2d | nn.Dropout) for layer in folded(trained[0]))


def test_a_file_of_another_network_is_found_out(
    trained: tuple[nn.Sequential, list[Epoch]], drawings: Labelled, tmp_path: Path
) -> None:
    export(trained[0], tmp_path / "model.onnx", drawings.images)
    assert largest_difference(network().eval(), tmp_path / "model.onnx", drawings.images) > 1e-3


def test_a_layer_that_cannot_be_exported_is_named(drawings: Labelled, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Tanh"):
        export(nn.Sequential(nn.Flatten(), nn.Tanh(), nn.Linear(784, 10)), tmp_path / "model.onnx", drawings.images)


def test_an_outlier_aims_at_every_class_alike() -> None:
    aims = targets(torch.tensor([3, OUTLIER]))
    assert aims[0].tolist() == [0, 0, 0, 1] + [0] * 6
    assert aims[1].tolist() == pytest.approx([0.1] * 10)


def test_batches_hold_every_frame_once_and_repeat_for_the_same_seed(drawings: Labelled) -> None:
    def run(seed: int) -> list[torch.Tensor]:
        return [aims.argmax(dim=1) for _, aims in batches(drawings, 50, torch.Generator().manual_seed(seed))]

    first, again, other = torch.cat(run(1)), torch.cat(run(1)), torch.cat(run(2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.bincount(first).tolist() == [40] * 10


def test_a_changed_picture_stays_between_paper_and_ink(drawings: Labelled) -> None:
    pictures = torch.from_numpy(drawings.images)[:, None].float() / 255
    changed = change(pictures, torch.Generator().manual_seed(0))
    assert changed.shape == pictures.shape
    assert changed.min() >= 0 and changed.max() <= 1 and changed.isfinite().all()
    assert changed.mean().item() == pytest.approx(pictures.mean().item(), rel=0.3)


def test_the_recipe_writes_a_card_that_fits(
    drawings: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    validation = dict.fromkeys(("mnist", "emnist", "probe"), drawings)
    written = digits.Sources(drawings, drawings, drawings.images[:5], validation)
    monkeypatch.setattr(digits, "sources", lambda *_: written)
    monkeypatch.setattr(digits, "outlier_logits", lambda *_: {"noise": np.zeros((5, 10), dtype=np.float32)})
    out = tmp_path / "digits"
    arguments = ["--data", str(tmp_path), "--out", str(out), "--epochs", "1", "--strokes", "30", "--renewed", "1"]
    assert digits.main([*arguments, "--without", "outliers"]) == 0
    card = read_card(out / "card.yaml")
    assert card.tag == "digits:1.0.0" and card.provenance.recipe == "training.digits"
    assert len(card.metrics) == 3 and "epoch  1 of 1" in capsys.readouterr().out
    assert (out / "training.json").is_file()


def test_missing_data_is_named_not_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert digits.main(["--data", str(tmp_path)]) == 1
    assert "train-images-idx3-ubyte" in capsys.readouterr().out

"""The training loop: small real runs, interrupted and resumed."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from torch import nn

from training.data.datasets import DataError, LabelledImages
from training.data.outliers import OUTLIER
from training.fitting import loop
from training.fitting.batches import BatchAugmentation
from training.fitting.loop import Callback, EpochResult, Settings, fit
from training.fitting.network import MergedClasses, plain_cnn, predict_logits

SEEN = "drawings"


class Recorder(Callback):
    """Records the calls, and interrupts the run after an epoch."""

    def __init__(self, interrupt_after: int = 99) -> None:
        self.epochs: list[EpochResult] = []
        self.steps: list[tuple[int, int]] = []
        self._interrupt_after = interrupt_after

    def on_step(self, step: int, steps: int, loss: float) -> None:
        assert np.isfinite(loss)
        if len(self.epochs) == self._interrupt_after:
            raise KeyboardInterrupt
        self.steps.append((step, steps))

    def on_epoch(self, result: EpochResult) -> None:
        self.epochs.append(result)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full precision on any machine, so that runs are reproducible."""
    monkeypatch.setattr(loop, "fast_bfloat16", lambda: False)


@pytest.fixture(scope="module")
def trained(drawings: LabelledImages) -> tuple[nn.Module, list[EpochResult], Recorder]:
    recorder, settings = Recorder(), Settings(epochs=6, batch_size=40, ema_decay=0.8, threads=1)
    torch.manual_seed(0)
    network = plain_cnn((16, 32, 48, 64, 80, 96), 10)
    model, curve = fit(network, range(10), lambda _: drawings, {SEEN: drawings}, settings, recorder)
    return model, curve, recorder


def test_training_reduces_the_loss(trained: tuple[nn.Module, list[EpochResult], Recorder], drawings: LabelledImages) -> None:
    model, curve, _ = trained
    assert curve[-1].loss < curve[0].loss
    assert max(result.accuracy[SEEN] for result in curve) > 0.5
    right = predict_logits(model, torch.from_numpy(drawings.images)).argmax(dim=1).numpy() == drawings.labels
    lowest = min(curve, key=lambda result: result.validation_loss[SEEN])
    assert right.mean() == pytest.approx(lowest.accuracy[SEEN])


def test_callback_is_called_after_every_step_and_epoch(trained: tuple[nn.Module, list[EpochResult], Recorder]) -> None:
    _, curve, recorder = trained
    assert recorder.epochs == curve and [result.epoch for result in curve] == [1, 2, 3, 4, 5, 6]
    assert recorder.steps == [(step, 60) for step in range(1, 61)]
    assert [result.seconds for result in curve] == sorted(result.seconds for result in curve)


def test_training_stops_early_without_improvement(drawings: LabelledImages) -> None:
    settings = Settings(epochs=9, batch_size=40, max_learning_rate=1e-12, ema_decay=0.0, patience=2, threads=1)
    wrong = LabelledImages(drawings.images[:80], (drawings.labels[:80] + 1) % 10)
    _, curve = fit(tiny(), range(10), lambda _: wrong, {}, settings, Callback())
    assert len(curve) == 3


def test_weights_of_the_best_epoch_are_returned(drawings: LabelledImages) -> None:
    settings = Settings(epochs=4, batch_size=40, ema_decay=0.0, threads=1)
    some = drawings.take(np.arange(80))
    # The training labels are wrong, so that the validation loss grows.
    wrong = LabelledImages(some.images, (some.labels + 1) % 10)
    model, curve = fit(tiny(), range(10), lambda _: wrong, {SEEN: some}, settings, Callback())
    validation_losses = [result.validation_loss[SEEN] for result in curve]
    assert validation_losses[-1] > min(validation_losses)
    logits = predict_logits(model, torch.from_numpy(some.images))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(some.labels)).item()
    assert loss == pytest.approx(min(validation_losses), rel=1e-4)


def test_training_sets_are_spread_evenly_over_the_epochs(drawings: LabelledImages) -> None:
    numbers: list[int] = []

    def training_set(number: int) -> LabelledImages:
        numbers.append(number)
        return drawings.take(np.arange(80))

    settings = Settings(epochs=6, training_sets=3, batch_size=40, patience=9, threads=1)
    fit(tiny(), range(10), training_set, {}, settings, Callback())
    assert numbers == [0, 1, 2]


def test_training_set_smaller_than_a_batch_raises_data_error(drawings: LabelledImages) -> None:
    with pytest.raises(DataError, match="400 images do not fill one batch of 1000"):
        fit(tiny(), range(10), lambda _: drawings, {}, Settings(batch_size=1000), Callback())


def tiny() -> nn.Sequential:
    """A small network with fixed weights; its dropout shows whether a resumed run restores the random state."""
    torch.manual_seed(7)
    return plain_cnn((2, 4, 4, 4, 4, 8), 10)


def run(
    drawings: LabelledImages, checkpoint: Path | None, callback: Callback | None = None, **others: object
) -> tuple[nn.Module, list[EpochResult]]:
    """A short run with two training sets."""
    settings = Settings(**{"epochs": 4, "batch_size": 40, "ema_decay": 0.9, "threads": 1, **others})  # type: ignore[arg-type]
    some = [drawings.take(np.arange(number, 400, 3)) for number in range(2)]
    return fit(tiny(), range(10), lambda number: some[number], {SEEN: some[0]}, settings, callback or Callback(), checkpoint)


def losses(curve: list[EpochResult]) -> list[tuple[int, float, float, float]]:
    return [(result.epoch, result.loss, result.accuracy[SEEN], result.validation_loss[SEEN]) for result in curve]


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("interrupt_after", [1, 2, 3])
def test_resumed_run_ends_with_the_same_weights(drawings: LabelledImages, tmp_path: Path, interrupt_after: int) -> None:
    whole, curve = run(drawings, None)
    with pytest.raises(KeyboardInterrupt):
        run(drawings, tmp_path / "checkpoint.pt", Recorder(interrupt_after))
    recorder = Recorder()
    resumed, resumed_curve = run(drawings, tmp_path / "checkpoint.pt", recorder)
    assert [result.epoch for result in recorder.epochs] == list(range(interrupt_after + 1, 5))
    assert losses(resumed_curve) == losses(curve)
    assert same_weights(resumed, whole)
    assert [result.seconds for result in resumed_curve] == sorted(result.seconds for result in resumed_curve)


def test_finished_run_is_not_repeated(drawings: LabelledImages, tmp_path: Path) -> None:
    first, curve = run(drawings, tmp_path / "checkpoint.pt")
    recorder = Recorder()
    repeated, same = run(drawings, tmp_path / "checkpoint.pt", recorder)
    assert recorder.steps == [] and same == curve and same_weights(first, repeated)


@pytest.mark.parametrize("others", [{"seed": 2}, {"label_smoothing": 0.1}, {"augmentation": BatchAugmentation(rotation=0.5)}])
def test_checkpoint_of_other_settings_is_ignored(drawings: LabelledImages, tmp_path: Path, others: dict[str, Any]) -> None:
    run(drawings, tmp_path / "checkpoint.pt")
    fresh, curve = run(drawings, None, **others)
    restarted, restarted_curve = run(drawings, tmp_path / "checkpoint.pt", **others)
    assert losses(restarted_curve) == losses(curve) and same_weights(restarted, fresh)


def _same(images: LabelledImages, number: int) -> LabelledImages:  # noqa: ARG001
    return images


def test_checkpoint_of_another_network_or_other_data_is_ignored(drawings: LabelledImages, tmp_path: Path) -> None:
    settings = Settings(epochs=2, batch_size=40, threads=1)
    for network, count in ((tiny, 80), (lambda: plain_cnn((2, 2, 2, 2, 2, 2), 10), 80), (tiny, 160)):
        recorder, training_set = Recorder(), drawings.take(np.arange(count))
        validation = {SEEN: training_set}
        render = partial(_same, training_set)
        fit(network(), range(10), render, validation, settings, recorder, tmp_path / "checkpoint.pt")
        assert recorder.steps == [(step, count // 20) for step in range(1, count // 20 + 1)]


def test_interrupted_save_keeps_the_previous_checkpoint(
    drawings: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        run(drawings, checkpoint, Recorder(2))
    before = checkpoint.read_bytes()

    def interrupted_save(state: object, path: Path) -> None:  # noqa: ARG001
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", interrupted_save)
        run(drawings, checkpoint)
    assert checkpoint.read_bytes() == before


def first_step(targets: list[int], classes: int = 10, **others: float) -> tuple[float, torch.Tensor]:
    """The loss of one batch of these classes, and the gradient of the last biases, which shows the targets."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, classes))
    for weight in network.parameters():
        nn.init.zeros_(weight)
    training_set = LabelledImages(np.zeros((len(targets), 28, 28), dtype=np.uint8), np.array(targets, dtype=np.int64))
    settings = Settings(epochs=1, batch_size=len(targets), ema_decay=0.0, threads=1, **others)  # type: ignore[arg-type]
    _, (result,) = fit(network, range(classes), lambda _: training_set, {}, settings, Callback())
    layer = network[1]
    assert isinstance(layer, nn.Linear) and layer.bias.grad is not None
    return result.loss, layer.bias.grad


def test_label_smoothing_gives_every_class_some_probability() -> None:
    _, hard = first_step([3, 3])
    _, soft = first_step([3, 3], label_smoothing=0.2)
    # The gradient with respect to the logits: the predicted probabilities, a tenth each, minus the targets.
    assert hard.tolist() == pytest.approx([0.1] * 3 + [0.1 - 1] + [0.1] * 6)
    assert soft.tolist() == pytest.approx([0.1 - 0.02] * 3 + [0.1 - 0.82] + [0.1 - 0.02] * 6)


def test_outlier_weight_scales_the_loss_of_outliers() -> None:
    uniform_loss = float(np.log(10))
    for weight in (0.0, 0.5, 1.0):
        loss, gradient = first_step([3, OUTLIER], outlier_weight=weight)
        assert loss == pytest.approx(uniform_loss * (1 + weight) / 2, rel=1e-5)
        # The target of an outlier is uniform, as the predicted probabilities are.
        assert gradient.tolist() == pytest.approx([0.05] * 3 + [0.05 - 0.5] + [0.05] * 6, abs=1e-6)


def test_outliers_are_recognised_with_two_classes() -> None:
    loss, _ = first_step([1, OUTLIER], classes=2, outlier_weight=0.0)
    assert loss == pytest.approx(float(np.log(2)) / 2, rel=1e-5)


def test_fine_classes_are_trained_and_labels_are_measured(drawings: LabelledImages) -> None:
    fine_classes = [digit // 5 for digit in range(10)]
    labels = LabelledImages(drawings.images, drawings.labels // 5)
    torch.manual_seed(0)
    network = nn.Sequential(*plain_cnn((8, 8, 8, 8, 8, 8), len(fine_classes), dropout=0), MergedClasses([5, 5]))
    settings = Settings(epochs=9, batch_size=40, ema_decay=0.8, threads=1)
    model, curve = fit(network, fine_classes, lambda _: drawings, {SEEN: labels}, settings, Callback())
    assert curve[-1].accuracy[SEEN] > 0.9
    logits = predict_logits(model, torch.from_numpy(drawings.images))
    assert (logits.argmax(dim=1).numpy() == labels.labels).mean() == pytest.approx(curve[-1].accuracy[SEEN])
    model.train()
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)

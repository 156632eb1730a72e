"""The training loop: AdamW with a one-cycle schedule, averaged weights, early stopping and checkpoints."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from training.data.datasets import DataError, LabelledImages
from training.fitting.batches import BatchAugmentation, batches, uniform_over_labels
from training.fitting.network import predict_logits

TrainingSets = Callable[[int], LabelledImages]
"""Renders the training set of a number, 0 and up."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The hyperparameters of a training run; every recipe has its own.

    The training set is rendered anew ``training_sets`` times, evenly over the epochs. After ``patience`` epochs without a
    better one the run stops.
    """

    epochs: int = 7
    training_sets: int = 2
    batch_size: int = 256
    max_learning_rate: float = 4e-3
    weight_decay: float = 0.03
    ema_decay: float = 0.998
    label_smoothing: float = 0.0
    outlier_weight: float = 0.5
    patience: int = 5
    threads: int = 2
    processes: int = 2
    seed: int = 1
    augmentation: BatchAugmentation = field(default_factory=BatchAugmentation)


@dataclass(frozen=True, slots=True)
class EpochResult:
    """One epoch of the learning curve: mean training loss, accuracy and loss by validation set, seconds since the start."""

    epoch: int
    loss: float
    accuracy: dict[str, float]
    validation_loss: dict[str, float]
    seconds: float


class Callback:
    """Is called during training; this base class does nothing."""

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """After each step, with the mean loss of the epoch so far."""

    def on_epoch(self, result: EpochResult) -> None:
        """After each epoch."""


def fit(
    network: nn.Module,
    fine_classes: Sequence[int],
    training_sets: TrainingSets,
    validation: Mapping[str, LabelledImages],
    settings: Settings,
    callback: Callback,
    checkpoint: Path | None = None,
) -> tuple[nn.Module, list[EpochResult]]:
    """Train ``network`` and return the averaged weights of the best epoch, with the learning curve.

    In training mode the outputs of ``network`` are ``fine_classes``, see ``Recipe.fine_classes``; accuracy and loss are
    measured on labels. Classes below 0 are outliers, see ``training.fitting.batches``. The best epoch has the lowest mean loss
    over the validation sets.

    The state of the run is written to ``checkpoint`` after every epoch. If the file exists and is of the same settings, network
    and number of steps, the run continues from it.

    Raises:
        DataError: the first training set does not fill one batch.
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    run = TrainingRun(network, fine_classes, training_sets, settings, callback)
    started = time.monotonic()
    if checkpoint is not None and checkpoint.is_file():
        started -= run.resume(checkpoint)
    while not run.finished:
        loss = run.train_epoch()
        run.validate(validation, loss, time.monotonic() - started)
        if checkpoint is not None:
            run.save(checkpoint)
    run.best.eval()
    return run.best, run.curve


class TrainingRun:
    """The state of a training run."""

    def __init__(
        self,
        network: nn.Module,
        fine_classes: Sequence[int],
        training_sets: TrainingSets,
        settings: Settings,
        callback: Callback,
    ) -> None:
        self.settings, self._callback, self._training_sets = settings, callback, training_sets
        self._outlier_target = uniform_over_labels(fine_classes)
        self._precision = torch.bfloat16 if fast_bfloat16() else None
        self._network = network.to(memory_format=torch.channels_last)
        self._random = torch.Generator().manual_seed(settings.seed)
        self._averaged = AveragedModel(network, avg_fn=_average(settings.ema_decay), use_buffers=True)
        self._set_number, self._images = 0, training_sets(0)
        self._steps = len(self._images) // settings.batch_size * settings.epochs
        if self._steps == 0:
            raise DataError(
                f"{len(self._images)} images do not fill one batch of {settings.batch_size}. Add data or lower the batch size."
            )
        rate = settings.max_learning_rate
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=settings.weight_decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, rate, total_steps=self._steps + 1, pct_start=0.15)
        self.best, self._lowest, self._best_epoch = copy.deepcopy(self._averaged.module), float("inf"), 0
        self.curve: list[EpochResult] = []
        self._step = 0

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or ``patience`` epochs were no better than the best."""
        return len(self.curve) >= self.settings.epochs or len(self.curve) - self._best_epoch >= self.settings.patience

    def train_epoch(self) -> float:
        """Train for one epoch and return the mean loss."""
        self._renew_training_set()
        self._network.train()
        total, count = 0.0, 0
        augmentation = self.settings.augmentation
        for inputs, targets in batches(
            self._images, self.settings.batch_size, self._outlier_target, augmentation, self._random
        ):
            if self._step == self._steps:
                break
            loss = self._train_batch(inputs, targets)
            total, count, self._step = total + loss, count + 1, self._step + 1
            self._callback.on_step(self._step, self._steps, total / count)
        return total / max(count, 1)

    def validate(self, validation: Mapping[str, LabelledImages], loss: float, seconds: float) -> None:
        """Measure the averaged weights, and keep them if they are the best so far."""
        result = _measure(self._averaged.module, validation, len(self.curve) + 1, loss, seconds)
        self.curve.append(result)
        self._callback.on_epoch(result)
        score = sum(result.validation_loss.values()) / max(len(result.validation_loss), 1)
        if score < self._lowest:
            self.best, self._lowest, self._best_epoch = copy.deepcopy(self._averaged.module), score, result.epoch

    def save(self, path: Path) -> None:
        """Write a checkpoint; the file is replaced only when the new one is complete."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"run": self._identity(), "random": self._random.get_state(), "dropout": torch.get_rng_state()}
        state |= {"step": self._step, "lowest": self._lowest, "best_epoch": self._best_epoch}
        state |= {"curve": [asdict(result) for result in self.curve]}
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def resume(self, path: Path) -> float:
        """Continue from a checkpoint, and return the seconds the run had taken; ignores the checkpoint of another run."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state.get("run") != self._identity():
            return 0.0
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self._random.set_state(state["random"])
        torch.set_rng_state(state["dropout"])
        self.curve = [EpochResult(**result) for result in state["curve"]]
        self._step, self._lowest, self._best_epoch = state["step"], state["lowest"], state["best_epoch"]
        return self.curve[-1].seconds

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a checkpoint to be of this run."""
        return {"settings": asdict(self.settings), "network": str(self._network), "steps": self._steps}

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self._network,
            "averaged": self._averaged,
            "best": self.best,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
        }

    def _renew_training_set(self) -> None:
        number = len(self.curve) * self.settings.training_sets // self.settings.epochs
        if number != self._set_number:
            self._set_number, self._images = number, self._training_sets(number)

    def _train_batch(self, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        with torch.autocast("cpu", self._precision or torch.bfloat16, enabled=self._precision is not None):
            logits = self._network(inputs.contiguous(memory_format=torch.channels_last))
        known = targets.amax(dim=1) == 1
        smoothed = torch.lerp(targets, self._outlier_target.expand_as(targets), self.settings.label_smoothing)
        losses = functional.cross_entropy(logits.float(), smoothed, reduction="none")
        loss = (losses * torch.where(known, 1.0, self.settings.outlier_weight)).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        self._schedule.step()
        self._averaged.update_parameters(self._network)
        return float(loss.item())


def fast_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware: training takes a third of the time with AMX, 0.55 with AVX-512."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _average(decay: float) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """An exponential moving average whose decay is lower in the first steps, when weights change most."""

    def average(old: torch.Tensor, new: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
        kept = min(decay, (1 + int(number)) / (10 + int(number)))
        return torch.lerp(new.to(old.dtype), old, kept) if old.is_floating_point() else new

    return average


def _measure(
    network: nn.Module, validation: Mapping[str, LabelledImages], epoch: int, loss: float, seconds: float
) -> EpochResult:
    accuracy, losses = {}, {}
    for name, images in validation.items():
        labels = torch.from_numpy(images.labels)
        logits = predict_logits(network, torch.from_numpy(images.images))
        accuracy[name] = (logits.argmax(dim=1) == labels).double().mean().item()
        losses[name] = functional.cross_entropy(logits, labels).item()
    return EpochResult(epoch, loss, accuracy, losses, seconds)

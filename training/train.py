"""The training loop: AdamW on one cycle, averaged weights, the best epoch on validation data kept."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from training.batches import batches
from training.datasets import Labelled
from training.network import logits


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run may be told; the defaults are those of the shipped model."""

    epochs: int = 7
    batch: int = 256
    peak_rate: float = 4e-3
    weight_decay: float = 0.03
    averaging: float = 0.998
    outlier_weight: float = 0.5
    patience: int = 5
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the curve: mean training loss, accuracy and loss on every validation set, seconds since the start."""

    epoch: int
    loss: float
    accuracy: dict[str, float]
    validation_loss: dict[str, float]
    seconds: float


def train(
    model: nn.Module,
    bank: Callable[[int], Labelled],
    validation: Mapping[str, Labelled],
    settings: Settings,
    report: Callable[[Epoch], None],
) -> tuple[nn.Module, list[Epoch]]:
    """Train ``model`` on ``bank(epoch)`` and give back the averaged weights of the best epoch, with the curve.

    The best epoch has the lowest mean loss over the validation sets; after ``patience`` epochs without a better one the
    run stops. Labels below 0 are outliers, see ``training.batches``.
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    random = torch.Generator().manual_seed(settings.seed)
    frames = bank(0)
    steps = len(frames) // settings.batch * settings.epochs
    if steps == 0:
        raise ValueError(f"{len(frames)} frames do not fill one batch of {settings.batch}: lower the batch or add data.")
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.peak_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.peak_rate, total_steps=steps + 1, pct_start=0.15)
    averaged = AveragedModel(model, avg_fn=_average(settings.averaging), use_buffers=True)
    best, lowest, best_epoch = copy.deepcopy(averaged.module), float("inf"), 0
    curve: list[Epoch] = []
    started = time.monotonic()
    done = 0
    for epoch in range(1, settings.epochs + 1):
        if epoch > 1:
            frames = bank(epoch - 1)
        model.train()
        total, count = 0.0, 0
        for pictures, aims in batches(frames, settings.batch, random):
            if done == steps:
                break
            losses = functional.cross_entropy(model(pictures), aims, reduction="none")
            is_digit = aims.amax(dim=1) > 0.5
            loss = (losses * torch.where(is_digit, 1.0, settings.outlier_weight)).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(model)
            total, count, done = total + loss.item(), count + 1, done + 1
        line = _measured(averaged.module, validation, epoch, total / max(count, 1), time.monotonic() - started)
        curve.append(line)
        report(line)
        score = sum(line.validation_loss.values()) / max(len(line.validation_loss), 1)
        if score < lowest:
            best, lowest, best_epoch = copy.deepcopy(averaged.module), score, epoch
        elif epoch - best_epoch >= settings.patience:
            break
    best.eval()
    return best, curve


def _average(decay: float) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """An exponential average that forgets the first steps sooner, when the weights still run."""

    def average(old: torch.Tensor, new: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
        kept = min(decay, (1 + int(number)) / (10 + int(number)))
        return torch.lerp(new.to(old.dtype), old, kept) if old.is_floating_point() else new

    return average


def _measured(model: nn.Module, validation: Mapping[str, Labelled], epoch: int, loss: float, seconds: float) -> Epoch:
    accuracy, losses = {}, {}
    for name, pictures in validation.items():
        labels = torch.from_numpy(pictures.labels)
        scores = logits(model, torch.from_numpy(pictures.images))
        accuracy[name] = (scores.argmax(dim=1) == labels).double().mean().item()
        losses[name] = functional.cross_entropy(scores, labels).item()
    return Epoch(epoch, loss, accuracy, losses, seconds)

"""The training loop: AdamW on one cycle, averaged weights, the best epoch on validation data kept; it can be resumed."""

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

from training.batches import Wobble, batches, doubtful
from training.datasets import DataError, Labelled
from training.network import logits


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run may be told; every recipe has its own."""

    epochs: int = 7
    renewed: int = 2
    batch: int = 256
    peak_rate: float = 4e-3
    weight_decay: float = 0.03
    averaging: float = 0.998
    smoothing: float = 0.0
    outlier_weight: float = 0.5
    patience: int = 5
    threads: int = 2
    processes: int = 2
    seed: int = 1
    wobble: Wobble = field(default_factory=Wobble)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the curve: mean training loss, accuracy and loss on every validation set, seconds since the start."""

    epoch: int
    loss: float
    accuracy: dict[str, float]
    validation_loss: dict[str, float]
    seconds: float


class Watch:
    """Is told how a training gets on; this one does not look."""

    def step(self, done: int, steps: int, loss: float) -> None:
        """After each of all steps."""

    def epoch(self, line: Epoch) -> None:
        """After each epoch."""


def train(
    model: nn.Module,
    kinds: Sequence[int],
    bank: Callable[[int], Labelled],
    validation: Mapping[str, Labelled],
    settings: Settings,
    watch: Watch,
    checkpoint: Path | None = None,
) -> tuple[nn.Module, list[Epoch]]:
    """Train ``model`` on ``bank(0)``, ... and give back the averaged weights of the best epoch, with the curve.

    While it trains, ``model`` answers for every one of ``kinds``, see ``Recipe.kinds``; what is measured are its labels.

    The bank is renewed ``settings.renewed`` times, evenly over the epochs. The best epoch has the lowest mean loss over the
    validation sets; after ``patience`` epochs without a better one the run stops. Labels below 0 are outliers, see
    ``training.batches``. After every epoch all that matters is written to ``checkpoint``; where it is there already, of the
    same settings, network and number of steps, the run goes on from it.

    Raises:
        DataError: the first bank does not fill one batch.
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    run = Run(model, kinds, bank, settings, watch)
    started = time.monotonic()
    if checkpoint is not None and checkpoint.is_file():
        started -= run.resume(checkpoint)
    while not run.finished:
        loss = run.pass_over()
        run.judge(validation, loss, time.monotonic() - started)
        if checkpoint is not None:
            run.save(checkpoint)
    run.best.eval()
    return run.best, run.curve


class Run:
    """A training under way."""

    def __init__(
        self, model: nn.Module, kinds: Sequence[int], bank: Callable[[int], Labelled], settings: Settings, watch: Watch
    ) -> None:
        self.settings, self._doubt, self._watch, self._bank = settings, doubtful(kinds), watch, bank
        self._precision = torch.bfloat16 if fast_bfloat16() else None
        self._model = model.to(memory_format=torch.channels_last)
        self._random = torch.Generator().manual_seed(settings.seed)
        self._averaged = AveragedModel(model, avg_fn=_average(settings.averaging), use_buffers=True)
        self._number, self._frames = 0, bank(0)
        self._steps = len(self._frames) // settings.batch * settings.epochs
        if self._steps == 0:
            raise DataError(f"{len(self._frames)} frames do not fill one batch of {settings.batch}: add data or lower it.")
        rate = settings.peak_rate
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=settings.weight_decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, rate, total_steps=self._steps + 1, pct_start=0.15)
        self.best, self._lowest, self._best_epoch = copy.deepcopy(self._averaged.module), float("inf"), 0
        self.curve: list[Epoch] = []
        self._done = 0

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or none was better than the best for too long."""
        return len(self.curve) >= self.settings.epochs or len(self.curve) - self._best_epoch >= self.settings.patience

    def pass_over(self) -> float:
        """Train for one epoch; the mean loss."""
        self._renew()
        self._model.train()
        total, count = 0.0, 0
        for pictures, aims in batches(self._frames, self.settings.batch, self._doubt, self.settings.wobble, self._random):
            if self._done == self._steps:
                break
            loss = self._step(pictures, aims)
            total, count, self._done = total + loss, count + 1, self._done + 1
            self._watch.step(self._done, self._steps, total / count)
        return total / max(count, 1)

    def judge(self, validation: Mapping[str, Labelled], loss: float, seconds: float) -> None:
        """Measure the averaged weights, and keep them if they are the best so far."""
        line = _measured(self._averaged.module, validation, len(self.curve) + 1, loss, seconds)
        self.curve.append(line)
        self._watch.epoch(line)
        score = sum(line.validation_loss.values()) / max(len(line.validation_loss), 1)
        if score < self._lowest:
            self.best, self._lowest, self._best_epoch = copy.deepcopy(self._averaged.module), score, line.epoch

    def save(self, path: Path) -> None:
        """Write all that is needed to go on."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"run": self._told(), "random": self._random.get_state(), "dropout": torch.get_rng_state()}
        state |= {"done": self._done, "lowest": self._lowest, "best_epoch": self._best_epoch}
        state |= {"curve": [asdict(line) for line in self.curve]}
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def resume(self, path: Path) -> float:
        """Go on from what ``save`` wrote; the seconds the run had taken by then. Nothing if it was another run."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state.get("run") != self._told():
            return 0.0
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self._random.set_state(state["random"])
        torch.set_rng_state(state["dropout"])
        self.curve = [Epoch(**line) for line in state["curve"]]
        self._done, self._lowest, self._best_epoch = state["done"], state["lowest"], state["best_epoch"]
        return self.curve[-1].seconds

    def _told(self) -> dict[str, Any]:
        """What makes it this run and no other."""
        return {"settings": asdict(self.settings), "network": str(self._model), "steps": self._steps}

    def _parts(self) -> dict[str, Any]:
        return {
            "model": self._model,
            "averaged": self._averaged,
            "best": self.best,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
        }

    def _renew(self) -> None:
        number = len(self.curve) * self.settings.renewed // self.settings.epochs
        if number != self._number:
            self._number, self._frames = number, self._bank(number)

    def _step(self, pictures: torch.Tensor, aims: torch.Tensor) -> float:
        with torch.autocast("cpu", self._precision or torch.bfloat16, enabled=self._precision is not None):
            answers = self._model(pictures.contiguous(memory_format=torch.channels_last))
        known = aims.amax(dim=1) == 1
        smoothed = torch.lerp(aims, self._doubt.expand_as(aims), self.settings.smoothing)
        losses = functional.cross_entropy(answers.float(), smoothed, reduction="none")
        loss = (losses * torch.where(known, 1.0, self.settings.outlier_weight)).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        self._schedule.step()
        self._averaged.update_parameters(self._model)
        return float(loss.item())


def fast_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware: a training takes a third of the time with AMX, 0.55 with AVX-512."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


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

"""training.train and training.batches: a real, tiny run, cut off and gone on with. Skipped where PyTorch is not installed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from torch import nn

from training import train as training
from training.batches import Wobble, batches, change, doubtful, targets
from training.datasets import DataError, Labelled
from training.frames import INK, Pictures
from training.network import Merged, convolutions, logits, parameters, residual
from training.strangers import OUTLIER
from training.strokes import draw
from training.train import Epoch, Settings, Watch, train

SEEN = "drawings"


class Told(Watch):
    """Keeps what it is told, and ends the run after an epoch as a lost machine would."""

    def __init__(self, cut_after: int = 99) -> None:
        self.epochs: list[Epoch] = []
        self.steps: list[tuple[int, int]] = []
        self._cut_after = cut_after

    def step(self, done: int, steps: int, loss: float) -> None:
        assert np.isfinite(loss)
        if len(self.epochs) == self._cut_after:
            raise KeyboardInterrupt
        self.steps.append((done, steps))

    def epoch(self, line: Epoch) -> None:
        self.epochs.append(line)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full precision on any machine, so that runs can be compared."""
    monkeypatch.setattr(training, "fast_bfloat16", lambda: False)


@pytest.fixture(scope="module")
def drawings() -> Labelled:
    labels = np.tile(np.arange(10, dtype=np.int64), 40)
    return Pictures(draw, labels, labels, seed=1).frames(INK, 1)


@pytest.fixture(scope="module")
def trained(drawings: Labelled) -> tuple[nn.Module, list[Epoch], Told]:
    told, settings = Told(), Settings(epochs=6, batch=40, averaging=0.8, threads=1)
    torch.manual_seed(0)
    network = convolutions((16, 32, 48, 64, 80, 96), 10)
    model, curve = train(network, range(10), lambda _: drawings, {SEEN: drawings}, settings, told)
    return model, curve, told


def test_the_loop_learns(trained: tuple[nn.Module, list[Epoch], Told], drawings: Labelled) -> None:
    model, curve, _ = trained
    assert curve[-1].loss < curve[0].loss
    assert max(line.accuracy[SEEN] for line in curve) > 0.5
    right = logits(model, torch.from_numpy(drawings.images)).argmax(dim=1).numpy() == drawings.labels
    lowest = min(curve, key=lambda line: line.validation_loss[SEEN])
    assert right.mean() == pytest.approx(lowest.accuracy[SEEN])


def test_every_step_and_epoch_is_told(trained: tuple[nn.Module, list[Epoch], Told]) -> None:
    _, curve, told = trained
    assert told.epochs == curve and [line.epoch for line in curve] == [1, 2, 3, 4, 5, 6]
    assert told.steps == [(step, 60) for step in range(1, 61)]
    assert [line.seconds for line in curve] == sorted(line.seconds for line in curve)


def test_the_loop_stops_early_when_nothing_gets_better(drawings: Labelled) -> None:
    settings = Settings(epochs=9, batch=40, peak_rate=1e-12, averaging=0.0, patience=2, threads=1)
    wrong = Labelled(drawings.images[:80], (drawings.labels[:80] + 1) % 10)
    _, curve = train(tiny(), range(10), lambda _: wrong, {}, settings, Watch())
    assert len(curve) == 3


def test_the_best_epoch_is_kept_when_later_ones_are_worse(drawings: Labelled) -> None:
    settings = Settings(epochs=4, batch=40, averaging=0.0, threads=1)
    some = drawings.take(np.arange(80))
    # What is learned is wrong, so that the loss on what judges grows.
    wrong = Labelled(some.images, (some.labels + 1) % 10)
    model, curve = train(tiny(), range(10), lambda _: wrong, {SEEN: some}, settings, Watch())
    losses = [line.validation_loss[SEEN] for line in curve]
    assert losses[-1] > min(losses)
    answers = logits(model, torch.from_numpy(some.images))
    assert nn.functional.cross_entropy(answers, torch.from_numpy(some.labels)).item() == pytest.approx(min(losses), rel=1e-4)


def test_the_bank_is_renewed_evenly_over_the_epochs(drawings: Labelled) -> None:
    asked: list[int] = []

    def bank(number: int) -> Labelled:
        asked.append(number)
        return drawings.take(np.arange(80))

    train(tiny(), range(10), bank, {}, Settings(epochs=6, renewed=3, batch=40, patience=9, threads=1), Watch())
    assert asked == [0, 1, 2]


def test_a_bank_smaller_than_a_batch_is_refused(drawings: Labelled) -> None:
    with pytest.raises(DataError, match="400 frames do not fill one batch of 1000"):
        train(tiny(), range(10), lambda _: drawings, {}, Settings(batch=1000), Watch())


def tiny() -> nn.Sequential:
    """A network for quick runs, the same each time; its dropout shows whether a run goes on with the same chances."""
    torch.manual_seed(7)
    return convolutions((2, 4, 4, 4, 4, 8), 10)


def run(
    drawings: Labelled, checkpoint: Path | None, watch: Watch | None = None, **others: object
) -> tuple[nn.Module, list[Epoch]]:
    """A short run that renews its bank once."""
    settings = Settings(**{"epochs": 4, "batch": 40, "averaging": 0.9, "threads": 1, **others})  # type: ignore[arg-type]
    some = [drawings.take(np.arange(number, 400, 3)) for number in range(2)]
    return train(tiny(), range(10), lambda number: some[number], {SEEN: some[0]}, settings, watch or Watch(), checkpoint)


def lines(curve: list[Epoch]) -> list[tuple[int, float, float, float]]:
    return [(line.epoch, line.loss, line.accuracy[SEEN], line.validation_loss[SEEN]) for line in curve]


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("cut_after", [1, 2, 3])
def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(drawings: Labelled, tmp_path: Path, cut_after: int) -> None:
    whole, curve = run(drawings, None)
    with pytest.raises(KeyboardInterrupt):
        run(drawings, tmp_path / "checkpoint.pt", Told(cut_after))
    told = Told()
    resumed, again = run(drawings, tmp_path / "checkpoint.pt", told)
    assert [line.epoch for line in told.epochs] == list(range(cut_after + 1, 5))
    assert lines(again) == lines(curve)
    assert same_weights(resumed, whole)
    assert [line.seconds for line in again] == sorted(line.seconds for line in again)


def test_a_run_that_was_done_is_not_run_again(drawings: Labelled, tmp_path: Path) -> None:
    first, curve = run(drawings, tmp_path / "checkpoint.pt")
    told = Told()
    again, same = run(drawings, tmp_path / "checkpoint.pt", told)
    assert told.steps == [] and same == curve and same_weights(first, again)


@pytest.mark.parametrize("others", [{"seed": 2}, {"smoothing": 0.1}, {"wobble": Wobble(turn=0.5)}])
def test_a_run_of_other_settings_starts_anew(drawings: Labelled, tmp_path: Path, others: dict[str, Any]) -> None:
    run(drawings, tmp_path / "checkpoint.pt")
    fresh, curve = run(drawings, None, **others)
    anew, again = run(drawings, tmp_path / "checkpoint.pt", **others)
    assert lines(again) == lines(curve) and same_weights(anew, fresh)


def test_another_network_or_other_data_start_anew(drawings: Labelled, tmp_path: Path) -> None:
    settings = Settings(epochs=2, batch=40, threads=1)
    for network, count in ((tiny, 80), (lambda: convolutions((2, 2, 2, 2, 2, 2), 10), 80), (tiny, 160)):
        told, bank = Told(), drawings.take(np.arange(count))
        train(network(), range(10), lambda _, bank=bank: bank, {SEEN: bank}, settings, told, tmp_path / "checkpoint.pt")  # type: ignore[misc]
        assert told.steps == [(step, count // 20) for step in range(1, count // 20 + 1)]


def test_nothing_half_written_takes_the_place_of_a_checkpoint(
    drawings: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        run(drawings, checkpoint, Told(2))
    before = checkpoint.read_bytes()

    def cut_off(state: object, path: Path) -> None:  # noqa: ARG001
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", cut_off)
        run(drawings, checkpoint)
    assert checkpoint.read_bytes() == before


def first_step(aims: list[int], classes: int = 10, **settings: float) -> tuple[float, torch.Tensor]:
    """The loss of one batch of these classes, and the biases of the last layer after it: what it aims at is seen in them."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, classes))
    for weight in network.parameters():
        nn.init.zeros_(weight)
    bank = Labelled(np.zeros((len(aims), 28, 28), dtype=np.uint8), np.array(aims, dtype=np.int64))
    told = Settings(epochs=1, batch=len(aims), averaging=0.0, threads=1, **settings)  # type: ignore[arg-type]
    _, (line,) = train(network, range(classes), lambda _: bank, {}, told, Watch())
    layer = network[1]
    assert isinstance(layer, nn.Linear) and layer.bias.grad is not None
    return line.loss, layer.bias.grad


def test_smoothing_aims_a_little_at_every_class() -> None:
    _, hard = first_step([3, 3])
    _, soft = first_step([3, 3], smoothing=0.2)
    # The gradient of the loss with respect to the logits: what was answered, a tenth each, less what was aimed at.
    assert hard.tolist() == pytest.approx([0.1] * 3 + [0.1 - 1] + [0.1] * 6)
    assert soft.tolist() == pytest.approx([0.1 - 0.02] * 3 + [0.1 - 0.82] + [0.1 - 0.02] * 6)


def test_outliers_weigh_what_the_settings_say() -> None:
    surprise = float(np.log(10))
    for weight in (0.0, 0.5, 1.0):
        loss, gradient = first_step([3, OUTLIER], outlier_weight=weight)
        assert loss == pytest.approx(surprise * (1 + weight) / 2, rel=1e-5)
        # An outlier aims at all classes alike, which is what is answered already.
        assert gradient.tolist() == pytest.approx([0.05] * 3 + [0.05 - 0.5] + [0.05] * 6, abs=1e-6)


def test_of_two_classes_an_outlier_is_told_as_well() -> None:
    loss, _ = first_step([1, OUTLIER], classes=2, outlier_weight=0.0)
    assert loss == pytest.approx(float(np.log(2)) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("network", "fewest", "most"),
    [
        (lambda: convolutions((16, 32, 48, 64, 80, 96), 10), 60_000, 200_000),
        (lambda: residual((24, 48, 96), (1, 1, 1), 10), 100_000, 400_000),
    ],
)
def test_the_networks_are_small(network: Callable[[], nn.Sequential], fewest: int, most: int) -> None:
    model = network().eval()
    assert fewest <= parameters(model) <= most
    assert logits(model, torch.zeros((3, 28, 28), dtype=torch.uint8), batch=2).shape == (3, 10)


def test_an_outlier_aims_at_every_class_alike() -> None:
    aims = targets(torch.tensor([3, OUTLIER]), doubtful(range(10)))
    assert aims[0].tolist() == [0, 0, 0, 1] + [0] * 6
    assert aims[1].tolist() == pytest.approx([0.1] * 10)


def test_an_outlier_aims_at_every_label_alike_and_at_its_kinds() -> None:
    aims = targets(torch.tensor([OUTLIER, 2]), doubtful([0, 0, 0, 1, 2, 2]))
    assert aims[0].tolist() == pytest.approx([1 / 9] * 3 + [1 / 3] + [1 / 6] * 2)
    assert aims[1].tolist() == [0, 0, 1, 0, 0, 0]


def test_kinds_are_trained_and_labels_are_measured(drawings: Labelled) -> None:
    kinds = [digit // 5 for digit in range(10)]
    labels = Labelled(drawings.images, drawings.labels // 5)
    torch.manual_seed(0)
    network = nn.Sequential(*convolutions((8, 8, 8, 8, 8, 8), len(kinds), dropout=0), Merged([5, 5]))
    settings = Settings(epochs=6, batch=40, averaging=0.8, threads=1)
    model, curve = train(network, kinds, lambda _: drawings, {SEEN: labels}, settings, Watch())
    assert curve[-1].accuracy[SEEN] > 0.9
    answered = logits(model, torch.from_numpy(drawings.images))
    assert (answered.argmax(dim=1).numpy() == labels.labels).mean() == pytest.approx(curve[-1].accuracy[SEEN])
    model.train()
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_probabilities_of_kinds_add_up_to_those_of_their_label() -> None:
    kinds = torch.randn((4, 6), generator=torch.Generator().manual_seed(0)) * 20
    merged = Merged([3, 1, 2]).eval()(kinds).softmax(dim=1)
    shares = kinds.double().softmax(dim=1)
    expected = torch.stack([shares[:, :3].sum(dim=1), shares[:, 3], shares[:, 4:].sum(dim=1)], dim=1)
    assert torch.allclose(merged.double(), expected, atol=1e-5)


def test_batches_hold_every_frame_once_and_repeat_for_the_same_seed(drawings: Labelled) -> None:
    def shuffled(seed: int) -> list[torch.Tensor]:
        random = torch.Generator().manual_seed(seed)
        return [aims.argmax(dim=1) for _, aims in batches(drawings, 50, doubtful(range(10)), Wobble(), random)]

    first, again, other = torch.cat(shuffled(1)), torch.cat(shuffled(1)), torch.cat(shuffled(2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.bincount(first).tolist() == [40] * 10


def changed(drawings: Labelled, wobble: Wobble) -> tuple[torch.Tensor, torch.Tensor]:
    pictures = torch.from_numpy(drawings.images)[:, None].float() / 255
    return pictures, change(pictures, wobble, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("wobble", [Wobble(), Wobble(mirrored=True, torn=0.5, hole=14, patched=True, still=0.3)])
def test_a_changed_picture_stays_between_paper_and_ink(drawings: Labelled, wobble: Wobble) -> None:
    pictures, after = changed(drawings, wobble)
    assert after.shape == pictures.shape
    assert after.min() >= 0 and after.max() <= 1 and after.isfinite().all()
    assert after.mean().item() == pytest.approx(pictures.mean().item(), rel=0.5)


def test_what_is_still_and_whole_stays_as_it_is(drawings: Labelled) -> None:
    pictures, after = changed(drawings, Wobble(still=1, torn=0))
    assert torch.allclose(pictures, after, atol=1e-5)


def test_half_of_the_pictures_are_mirrored_where_that_is_wanted(drawings: Labelled) -> None:
    pictures, after = changed(drawings, Wobble(still=1, torn=0, mirrored=True))
    same = (pictures - after).abs().amax(dim=(1, 2, 3)) < 1e-4
    turned = (pictures.flip(3) - after).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (same | turned).all() and 0.4 < turned.double().mean() < 0.6


def test_a_hole_is_paper_or_any_grey(drawings: Labelled) -> None:
    pictures, after = changed(drawings, Wobble(still=1, torn=1))
    assert (after <= pictures + 1e-5).all() and not torch.allclose(pictures, after, atol=1e-3)
    assert changed(drawings, Wobble(still=1, torn=1, patched=True))[1].mean() > after.mean()

"""The recipe of models/digits: ``python -m training.digits --data DIR``.

DIR holds mnist/ and emnist/ (idx files), drawings/ (Quick, Draw! strokes, Omniglot) and fashion-mnist/.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.card import CARD_FILE, MODEL_FILE, Calibration, ModelCard, Provenance, Rejection, file_sha256, write_card
from training import calibration, outliers
from training.augment import vary
from training.datasets import DataError, Labelled, emnist, mnist, validation_split
from training.evaluation import accepted, confidence, measured, outlier_logits, predict, rounded
from training.export import export
from training.frames import SPEC, as_it_is, bank, joined
from training.network import network, parameters
from training.outliers import OUTLIER
from training.probe import probe
from training.strokes import draw
from training.train import Epoch, Settings, train

LOG_FILE = "training.json"
LABELS = [str(digit) for digit in range(10)]
HELD_OUT = 5000
ACCEPTED = 0.985
DATA = [
    f"MNIST train (LeCun, Cortes, Burges), less {HELD_OUT} for validation",
    "EMNIST digits and some letters (NIST, public domain): official test splits used as training material",
    "stroke digits drawn by training.strokes",
    "Quick, Draw! drawings (Google, CC BY 4.0) and scribbles, as examples of what is no digit",
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much of what goes into an epoch, and what is left out in experiments."""

    strokes: int = 10_000
    varied_mnist: int = 2
    varied_emnist: int = 1
    renewed: int = 2
    use_strokes: bool = True
    use_mnist: bool = True
    use_emnist: bool = True
    use_outliers: bool = True
    processes: int = 2

    @property
    def whole(self) -> bool:
        """Nothing is left out."""
        return self.use_strokes and self.use_mnist and self.use_emnist and self.use_outliers

    @property
    def left_out(self) -> list[str]:
        """The sources of scans that the network never sees, not even to choose its best epoch."""
        return [name for name, used in (("mnist", self.use_mnist), ("emnist", self.use_emnist)) if not used]


@dataclass(frozen=True, slots=True)
class Sources:
    """What people wrote, split: no picture of the one part is in the other."""

    mnist: Labelled
    emnist: Labelled
    letters: npt.NDArray[np.uint8]
    validation: dict[str, Labelled]


def sources(data: Path, seed: int, processes: int) -> Sources:
    """Read and split; the validation sets come back preprocessed."""
    mnist_training, mnist_validation = validation_split(mnist(data, "train"), HELD_OUT, seed)
    characters = emnist(data)
    digits = characters.take(characters.labels < 10)
    emnist_training, emnist_validation = validation_split(digits, HELD_OUT, seed)
    probed = np.tile(np.arange(10, dtype=np.int64), 300)
    validation = {
        "mnist": Labelled(bank(as_it_is, mnist_validation.images, 0, processes), mnist_validation.labels),
        "emnist": Labelled(bank(as_it_is, emnist_validation.images, 0, processes), emnist_validation.labels),
        "probe": Labelled(bank(probe, probed, 7, processes), probed),
    }
    return Sources(mnist_training, emnist_training, outliers.letters(characters), validation)


def training_bank(data: Path, written: Sources, recipe: Recipe, seed: int) -> Labelled:
    """Everything an epoch sees, once: ``uint8[N, 28, 28]`` frames and classes, outliers as class -1."""
    seeds = iter(np.random.SeedSequence(seed).generate_state(100).tolist())
    p = recipe.processes
    parts = []
    if recipe.use_mnist:
        parts.append(Labelled(bank(as_it_is, written.mnist.images, 0, p), written.mnist.labels))
        parts += [_varied(written.mnist, next(seeds), p) for _ in range(recipe.varied_mnist)]
    if recipe.use_emnist:
        parts += [_varied(written.emnist, next(seeds), p) for _ in range(recipe.varied_emnist)]
    if recipe.use_strokes:
        digits = np.tile(np.arange(10, dtype=np.int64), recipe.strokes)
        parts.append(Labelled(bank(draw, digits, next(seeds), p), digits))
    if recipe.use_outliers:
        doodles = outliers.quickdraw(data, "train") * 6
        shown = [
            bank(outliers.doodled, doodles, next(seeds), p),
            bank(vary, written.letters[::2], next(seeds), p),
            bank(outliers.scribbled, [1, 2, 2, 3] * 1500, next(seeds), p),
        ]
        parts += [Labelled(frames, np.full(len(frames), OUTLIER, dtype=np.int64)) for frames in shown]
    return joined(parts)


def make(data: Path, out: Path, recipe: Recipe, settings: Settings) -> ModelCard:
    """Train, calibrate, export, measure; write model.onnx, card.yaml and training.json into ``out``.

    The test pictures of MNIST are read last, and only if the recipe is whole: experiments are judged on validation data.
    """
    started = time.monotonic()
    written = sources(data, settings.seed, recipe.processes)
    banks: dict[int, Labelled] = {}

    def epoch_bank(epoch: int) -> Labelled:
        number = epoch * recipe.renewed // settings.epochs
        if number not in banks:
            banks.clear()
            banks[number] = training_bank(data, written, recipe, settings.seed * 1000 + number)
            _say(f"bank {number + 1} of {recipe.renewed}: {len(banks[number]):,} frames")
        return banks[number]

    torch.manual_seed(settings.seed)
    chosen_on = {name: pictures for name, pictures in written.validation.items() if name not in recipe.left_out}
    model, curve = train(network(), epoch_bank, chosen_on, settings, _progress(settings.epochs))
    validation = written.validation["mnist"]
    scores = predict(model, validation.images)
    temperature = round(calibration.best_temperature(scores, validation.labels), 5)
    unknown = outlier_logits(model, data, "validation", recipe.processes)
    rule = calibration.choose_rejection(scores, unknown, temperature, ACCEPTED)
    out.mkdir(parents=True, exist_ok=True)
    assert isinstance(model, nn.Sequential)
    export(model, out / MODEL_FILE, validation.images[:1000])

    metrics = [
        measured(model, validation, temperature, "MNIST", f"validation ({HELD_OUT} of train, held out)"),
        measured(model, written.validation["emnist"], temperature, "EMNIST digits", f"validation ({HELD_OUT} held out)"),
        measured(
            model, written.validation["probe"], temperature, "stroke digits of another hand", "validation (training.probe)"
        ),
    ]
    log: dict[str, Any] = {
        "settings": asdict(settings),
        "recipe": asdict(recipe),
        "parameters": parameters(model),
        "curve": [asdict(epoch) for epoch in curve],
        "accepted": {name: accepted(model, pictures, rule, temperature) for name, pictures in written.validation.items()},
        "auroc_validation": rule.auroc,
    }
    for name in recipe.left_out:
        unseen = written.mnist if name == "mnist" else written.emnist
        frames = Labelled(bank(as_it_is, unseen.images, 0, recipe.processes), unseen.labels)
        metrics.insert(0, measured(model, frames, temperature, f"{name}, left out", "train, less validation"))
    if recipe.whole:
        scans = mnist(data, "test")
        test = Labelled(bank(as_it_is, scans.images, 0, recipe.processes), scans.labels)
        metrics.insert(0, measured(model, test, temperature, "MNIST", "test (t10k)"))
        known = calibration.scored(predict(model, test.images), rule.score, temperature)
        strange = outlier_logits(model, data, "test", recipe.processes)
        log["accepted"]["mnist test"] = accepted(model, test, rule, temperature)
        log["confidence_mnist_test"] = confidence(model, test, temperature)
        log["auroc_test"] = {
            name: calibration.auroc(known, calibration.scored(answers, rule.score, temperature))
            for name, answers in strange.items()
        }
    log["per_class"] = {f"{one.dataset} {one.split}": one.per_class for one in metrics}
    log["minutes"] = (time.monotonic() - started) / 60
    card = ModelCard(
        name="digits",
        version="1.0.0",
        title="Handwritten digits, scanned or drawn",
        task="classify",
        labels=LABELS,
        input=SPEC,
        calibration=Calibration(temperature=temperature),
        rejection=Rejection(score=rule.score, threshold=round(rule.threshold, 5)),
        metrics=metrics,
        provenance=Provenance(data=DATA, recipe="training.digits", seed=settings.seed, revision=revision()),
        licence="Apache-2.0",
        sha256=file_sha256(out / MODEL_FILE),
    )
    write_card(card, out / CARD_FILE)
    (out / LOG_FILE).write_text(json.dumps(rounded(log), indent=1) + "\n", encoding="utf-8")
    return card


def revision() -> str:
    """The git revision of the recipe, with ``+changes`` if training/ or preprocessing/ differ from it, or ``unknown``."""
    here = Path(__file__).parent.parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True).stdout.strip()
        changed = ["git", "status", "--porcelain", "training", "preprocessing"]
        dirty = subprocess.run(changed, cwd=here, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+changes" if dirty else "")


def _varied(pictures: Labelled, seed: int, processes: int) -> Labelled:
    return Labelled(bank(vary, pictures.images, seed, processes), pictures.labels)


def _progress(epochs: int) -> Callable[[Epoch], None]:
    def report(line: Epoch) -> None:
        shares = "  ".join(f"{name} {100 * share:.2f} %" for name, share in line.accuracy.items())
        _say(f"epoch {line.epoch:2d} of {epochs}  loss {line.loss:.4f}  {shares}  {line.seconds / 60:.1f} min")

    return report


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    usual, whole = Settings(), Recipe()
    parser = argparse.ArgumentParser(prog="python -m training.digits", description="Train the digit model.")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="holds mnist/, emnist/, drawings/, fashion-mnist/"
    )
    parser.add_argument("--out", type=Path, default=Path("models/digits"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=usual.epochs, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=usual.seed, help="default: %(default)s")
    parser.add_argument(
        "--strokes", type=int, default=whole.strokes, help="stroke drawings of each digit, default: %(default)s"
    )
    parser.add_argument(
        "--renewed", type=int, default=whole.renewed, help="how many banks of frames are made, default: %(default)s"
    )
    parser.add_argument(
        "--without", action="append", choices=("strokes", "mnist", "emnist", "outliers"), default=[], help="an experiment"
    )
    options = parser.parse_args(arguments)
    recipe = Recipe(
        strokes=options.strokes,
        renewed=options.renewed,
        use_strokes="strokes" not in options.without,
        use_mnist="mnist" not in options.without,
        use_emnist="emnist" not in options.without,
        use_outliers="outliers" not in options.without,
    )
    try:
        card = make(options.data, options.out, recipe, Settings(epochs=options.epochs, seed=options.seed))
    except DataError as error:
        _say(f"error: {error}")
        return 1
    for one in card.metrics:
        _say(f"{one.dataset}, {one.split}: {100 * one.accuracy:.2f} % of {one.n:,}, calibration error {100 * one.ece:.2f} %")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

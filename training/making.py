"""From a recipe to a folder of the catalogue: train, calibrate, learn to refuse, export, measure, write the card."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from torch import nn

from models import calibration
from models.card import CARD_FILE, MODEL_FILE, Calibration, Metrics, ModelCard, Provenance, Rejection, file_sha256, write_card
from models.golden import golden_input_for, golden_output
from models.verification import open_session, run_batches
from training.datasets import DataError, Labelled
from training.evaluation import accepted, measured, predict, rounded
from training.export import export
from training.frames import Pictures, joined
from training.leaks import leaks
from training.network import parameters
from training.plots import draw_curves
from training.recipe import Recipe
from training.rejection import RejectionRule, auroc, choose_rejection
from training.train import Epoch, Settings, Watch, train

LOG_FILE: Final = "training.json"
CURVES_FILE: Final = "training.png"
CHECKPOINT_FILE: Final = "checkpoint.pt"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A network, what it learned from, and what it needs to be asked well."""

    model: nn.Sequential
    curve: list[Epoch]
    temperature: float
    rule: RejectionRule


def make(recipe: Recipe, out: Path, settings: Settings, say: Say, watch: Watch, without: tuple[str, ...] = ()) -> ModelCard:
    """Follow a recipe and write model.onnx, card.yaml, training.json and training.png into ``out``.

    A run that was cut off goes on where it was. An experiment leaves sources out ``without`` reading the test pictures, which
    are for the whole recipe, once, at its end.

    Raises:
        DataError: data are missing, or a picture that judges is among those that train.
    """
    started = time.monotonic()
    if found := leaks(recipe):
        raise DataError("The split leaks: " + "; ".join(found) + ".")
    out.mkdir(parents=True, exist_ok=True)
    validation = {name: pictures.frames(recipe.spec, settings.processes) for name, pictures in recipe.validation().items()}
    trained = fit(recipe, validation, out, settings, say, watch, without)
    first = next(iter(validation.values()))
    export(trained.model, out / MODEL_FILE, first.images[:1000])
    log: dict[str, Any] = {
        "settings": asdict(settings),
        "without": list(without),
        "parameters": parameters(trained.model),
        "curve": [asdict(line) for line in trained.curve],
        "auroc_validation": trained.rule.auroc,
    }
    metrics = [_measured(trained, recipe, name, frames, log) for name, frames in validation.items()]
    if not without:
        say("test pictures, read once")
        test = {name: pictures.frames(recipe.spec, settings.processes) for name, pictures in recipe.test().items()}
        metrics = [_measured(trained, recipe, name, frames, log) for name, frames in test.items()] + metrics
        log["auroc_test"] = _strangeness(trained, recipe, next(iter(test.values())), settings.processes)
    log["minutes"] = (time.monotonic() - started) / 60
    card = ModelCard(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task="classify",
        labels=recipe.labels,
        input=recipe.spec,
        calibration=Calibration(temperature=trained.temperature),
        rejection=Rejection(score=trained.rule.score, threshold=round(trained.rule.threshold, 5)),
        metrics=metrics,
        provenance=Provenance(
            data=list(recipe.sources), recipe=type(recipe).__module__, seed=settings.seed, revision=revision()
        ),
        licence=recipe.licence,
        sha256=file_sha256(out / MODEL_FILE),
        known_answer=_golden_output(out / MODEL_FILE, recipe),
    )
    write_card(card, out / CARD_FILE)
    (out / LOG_FILE).write_text(json.dumps(rounded(log), indent=1) + "\n", encoding="utf-8")
    draw_curves(trained.curve, out / CURVES_FILE)
    (out / CHECKPOINT_FILE).unlink()
    return card


def fit(
    recipe: Recipe,
    validation: dict[str, Labelled],
    out: Path,
    settings: Settings,
    say: Say,
    watch: Watch,
    without: tuple[str, ...],
) -> Trained:
    """Train a recipe's network, then choose its temperature and its rejection on validation pictures."""

    def bank(number: int) -> Labelled:
        sources = {name: pictures for name, pictures in recipe.training(number).items() if not name.startswith(without)}
        if not sources:
            raise DataError(f"Nothing is left to train on without {', '.join(without)}. Leave fewer sources out.")
        frames = joined([pictures.frames(recipe.spec, settings.processes) for pictures in sources.values()])
        say(f"bank {number + 1} of {settings.renewed}: {len(frames):,} frames")
        return frames

    torch.manual_seed(settings.seed)
    model, curve = train(recipe.network(), recipe.kinds, bank, validation, settings, watch, checkpoint=out / CHECKPOINT_FILE)
    assert isinstance(model, nn.Sequential)
    known = joined(list(validation.values())[: recipe.calibrated_on])
    answered = predict(model, known.images)
    temperature = round(calibration.fit_temperature(answered, known.labels), 5)
    strange = {
        name: predict(model, frames.images) for name, frames in _frames(recipe.strangers("validation"), recipe, settings)
    }
    rule = choose_rejection(answered, strange, temperature, recipe.accepted)
    return Trained(model, curve, temperature, rule)


def _golden_output(path: Path, recipe: Recipe) -> dict[str, float]:
    """What a recipe's file answers to the picture that every session of it is asked about first."""
    logits = run_batches(open_session(onnx.load(path)), golden_input_for(recipe.spec), 1)[0]
    return golden_output(recipe.labels, logits.tolist())


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


def _frames(pictures: dict[str, Pictures], recipe: Recipe, settings: Settings) -> list[tuple[str, Labelled]]:
    return [(name, one.frames(recipe.spec, settings.processes)) for name, one in pictures.items()]


def _measured(trained: Trained, recipe: Recipe, name: str, frames: Labelled, log: dict[str, Any]) -> Metrics:
    answered = predict(trained.model, frames.images)
    log.setdefault("accepted", {})[name] = accepted(answered, trained.rule, trained.temperature)
    probabilities = np.exp(calibration.log_softmax(answered, trained.temperature))
    return measured(probabilities, frames.labels, recipe.labels, name)


def _strangeness(trained: Trained, recipe: Recipe, known: Labelled, processes: int) -> dict[str, float]:
    """How well the rejection score tells test pictures from strangers that nothing was chosen on: AUROC by kind."""
    score, temperature = trained.rule.score, trained.temperature
    familiar = calibration.out_of_distribution_scores(predict(trained.model, known.images), score, temperature)
    found = {}
    for name, pictures in recipe.strangers("test").items():
        answered = predict(trained.model, pictures.frames(recipe.spec, processes).images)
        found[name] = auroc(familiar, calibration.out_of_distribution_scores(answered, score, temperature))
    return found

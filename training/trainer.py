"""Trains the model of a recipe, calibrates, exports and measures it, and writes its card."""

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
from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, write_card
from models.card_fields import Calibration, Metrics, Provenance, Rejection
from models.golden import golden_input, golden_output
from models.outputs import LogitsFunction, session_run
from models.verification import open_session, run_batches
from training.data.datasets import DataError, LabelledImages
from training.data.image_sets import ImageSet, concatenate
from training.data.split_leakage import find_leaks
from training.evaluation.metrics import acceptance_rate, card_metrics, predict, rounded
from training.evaluation.plots import plot_curves
from training.evaluation.rejection import RejectionRule, auroc, choose_rejection
from training.fitting.export import export
from training.fitting.loop import Callback, EpochResult, Settings, fit
from training.fitting.network import count_parameters
from training.recipe import Recipe

REPORT_FILE: Final = "training.json"
CURVES_FILE: Final = "training.png"
CHECKPOINT_FILE: Final = "checkpoint.pt"

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained network, its learning curve, its temperature and its rejection rule."""

    network: nn.Sequential
    curve: list[EpochResult]
    temperature: float
    rule: RejectionRule


def train_recipe(
    recipe: Recipe, out: Path, settings: Settings, log: Log, callback: Callback, without: tuple[str, ...] = ()
) -> ModelCard:
    """Train a recipe's model and write model.onnx, card.yaml, training.json and training.png into ``out``.

    An interrupted run continues from its checkpoint. ``without`` leaves sources out, as an experiment; the test sets are then
    not read, since they are to be read once, for the complete recipe.

    Raises:
        DataError: data are missing, or an image of a held-out split is in the training data.
    """
    started = time.monotonic()
    for remark in recipe.remarks:
        log(remark)
    if leaks := find_leaks(recipe):
        raise DataError("The split leaks: " + "; ".join(leaks) + ".")
    out.mkdir(parents=True, exist_ok=True)
    validation = _model_inputs(recipe.validation(), recipe, settings)
    trained = train_and_calibrate(recipe, validation, out, settings, log, callback, without)
    first = next(iter(validation.values()))
    export(trained.network, out / MODEL_FILE, first.images[:1000])
    report: dict[str, Any] = {
        "settings": asdict(settings),
        "without": list(without),
        "parameters": count_parameters(trained.network),
        "curve": [asdict(result) for result in trained.curve],
        "auroc_validation": trained.rule.auroc,
    }
    metrics = [_measure(trained, recipe, name, inputs, report) for name, inputs in validation.items()]
    if not without:
        log("reading the test sets, once")
        test = _model_inputs(recipe.test(), recipe, settings)
        metrics = [_measure(trained, recipe, name, inputs, report) for name, inputs in test.items()] + metrics
        report["auroc_test"] = _rejection_auroc(trained, recipe, next(iter(test.values())), settings)
    report["minutes"] = (time.monotonic() - started) / 60
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
    (out / REPORT_FILE).write_text(json.dumps(rounded(report), indent=1) + "\n", encoding="utf-8")
    plot_curves(trained.curve, out / CURVES_FILE)
    (out / CHECKPOINT_FILE).unlink()
    return card


def train_and_calibrate(
    recipe: Recipe,
    validation: dict[str, LabelledImages],
    out: Path,
    settings: Settings,
    log: Log,
    callback: Callback,
    without: tuple[str, ...],
) -> TrainedModel:
    """Train a recipe's network, then choose its temperature and its rejection rule on validation data."""

    def training_set(number: int) -> LabelledImages:
        sources = {name: images for name, images in recipe.training(number).items() if not name.startswith(without)}
        if not sources:
            raise DataError(f"Nothing is left to train on without {', '.join(without)}. Leave fewer sources out.")
        inputs = concatenate(list(_model_inputs(sources, recipe, settings).values()))
        log(f"training set {number + 1} of {settings.training_sets}: {len(inputs):,} images")
        return inputs

    torch.manual_seed(settings.seed)
    network, curve = fit(
        recipe.network(), recipe.fine_classes, training_set, validation, settings, callback, checkpoint=out / CHECKPOINT_FILE
    )
    assert isinstance(network, nn.Sequential)
    known = concatenate(list(validation.values())[: recipe.calibration_sets])
    logits = predict(network, known.images)
    temperature = round(calibration.fit_temperature(logits, known.labels), 5)
    outliers = _model_inputs(recipe.out_of_distribution("validation"), recipe, settings)
    outlier_logits = {name: predict(network, inputs.images) for name, inputs in outliers.items()}
    unseen = [predict(network, validation[name].images) for name in recipe.rejection_sets]
    rule = choose_rejection(logits, unseen, outlier_logits, temperature, recipe.acceptance_rate)
    return TrainedModel(network, curve, temperature, rule)


def revision() -> str:
    """The git revision of the recipe, with ``+changes`` if training/ or preprocessing/ differ from it, or ``unknown``."""
    here = Path(__file__).parent.parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True).stdout.strip()
        status = ["git", "status", "--porcelain", "training", "preprocessing"]
        changed = subprocess.run(status, cwd=here, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+changes" if changed else "")


def _golden_output(path: Path, recipe: Recipe) -> dict[str, float]:
    """The exported model's output for the golden input, which the service checks every new session with."""
    logits = run_batches(LogitsFunction(session_run(open_session(onnx.load(path)))), golden_input(recipe.spec), 1)[0]
    return golden_output(recipe.labels, logits.tolist())


def _model_inputs(sets: dict[str, ImageSet], recipe: Recipe, settings: Settings) -> dict[str, LabelledImages]:
    return {name: images.model_inputs(recipe.spec, settings.processes) for name, images in sets.items()}


def _measure(trained: TrainedModel, recipe: Recipe, name: str, inputs: LabelledImages, report: dict[str, Any]) -> Metrics:
    logits = predict(trained.network, inputs.images)
    report.setdefault("accepted", {})[name] = acceptance_rate(logits, trained.rule, trained.temperature)
    probabilities = np.exp(calibration.log_softmax(logits, trained.temperature))
    return card_metrics(probabilities, inputs.labels, recipe.labels, name)


def _rejection_auroc(trained: TrainedModel, recipe: Recipe, known: LabelledImages, settings: Settings) -> dict[str, float]:
    """AUROC of the rejection score between test images and each set of outliers that nothing was chosen on."""
    score, temperature = trained.rule.score, trained.temperature
    known_scores = calibration.out_of_distribution_scores(predict(trained.network, known.images), score, temperature)
    aurocs = {}
    for name, inputs in _model_inputs(recipe.out_of_distribution("test"), recipe, settings).items():
        logits = predict(trained.network, inputs.images)
        aurocs[name] = auroc(known_scores, calibration.out_of_distribution_scores(logits, score, temperature))
    return aurocs

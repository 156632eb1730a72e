"""Calibrates and evaluates a model on labelled pictures."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.answers import answers_of
from models.calibration import fit_temperature
from models.card import CardError, ModelCard
from models.card_fields import Calibration, Metrics, Rejection
from models.metrics import compute_metrics
from models.outputs import Logits, LogitsFunction, probabilities, session_run
from models.pictures import IMAGE_LIMITS, MIN_IMAGES, LabelledFolder, fitting_half, is_enough
from models.reference import MIN_PICTURES, InkMeter, Reference
from preprocessing import ImageError, Tensor, decode, model_input

BATCH_SIZE: Final = 32
ACCEPTED_SHARE: Final = 0.985

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Temperature and rejection threshold fitted on one half of the images, metrics of the other; ``remarks`` is for people.

    ``reference`` is that of all images, None where there are too few.
    """

    calibration: Calibration
    rejection: Rejection
    metrics: Metrics
    reference: Reference | None
    remarks: list[str]


def evaluate(model: Path, card: ModelCard, found: LabelledFolder) -> Evaluation:
    """Calibrate and evaluate a validated model on pictures, preprocessed as in the service.

    Of each label every second picture is used to fit temperature and threshold, the others to compute the metrics.

    Raises:
        CardError: fewer than 20 pictures are left.
    """
    function, spec = open_model(model, card), card.input
    mean_ink = InkMeter(spec)
    logits: list[Logits] = []
    batch: list[Tensor] = []
    characters: list[int] = []
    inks: list[float] = []
    usable = np.zeros(len(found.pictures), dtype=np.bool_)
    unusable: list[str] = []
    for number, picture in enumerate(found.pictures):
        try:
            tensor, separate = model_input(decode(picture.path.read_bytes(), IMAGE_LIMITS, spec.colour_side), spec)
        except ImageError as error:
            unusable.append(f"{picture.path.relative_to(found.folder)}: {error}")
            continue
        usable[number] = True
        batch.append(tensor)
        characters.append(separate)
        inks.append(mean_ink(tensor))
        if len(batch) == BATCH_SIZE:
            logits.append(function(np.stack(batch)))
            batch = []
    if batch:
        logits.append(function(np.stack(batch)))
    truth = np.array([picture.label for picture in found.pictures], dtype=np.int64)[usable]
    fitting = fitting_half(found.pictures)[usable]
    if not is_enough(fitting):
        raise CardError(
            f"{found.folder}: holds {len(truth)} pictures that can be used; at least {MIN_IMAGES} are needed, two of each label"
            + "".join(f". {remark}" for remark in found.remarks)
        )
    counts = np.bincount(truth, minlength=len(card.labels))
    remarks = []
    if rare := [label for label, count in zip(card.labels, counts.tolist(), strict=True) if count < 2]:
        remarks.append(f"{len(rare)} labels have fewer than the 2 pictures that are needed to measure them, such as {rare[0]}")
    if unusable:
        remarks.append(f"{len(unusable)} pictures show nothing and are left out, such as {unusable[0]}")
    name = f"pictures of one's own ({found.folder.resolve().name})"
    evaluation = _evaluation(np.concatenate(logits), truth, fitting, card, name=name, remarks=remarks)
    if len(truth) < MIN_PICTURES:
        remarks.append(
            f"the card has no reference to notice drift with: it takes {MIN_PICTURES} pictures, and these are {len(truth)}"
        )
        return evaluation
    card = card.model_copy(update={"calibration": evaluation.calibration, "rejection": evaluation.rejection})
    reference = answers_of(np.concatenate(logits), characters, inks, card).reference(name, "all that can be used")
    return replace(evaluation, reference=reference)


def _evaluation(logits: Logits, truth: Labels, fitting: Mask, card: ModelCard, *, name: str, remarks: list[str]) -> Evaluation:
    """The evaluation, without a reference, from logits float32[N,K]."""
    correct = logits.argmax(axis=1) == truth
    if card.output.multi_label:
        temperature = 1.0
        remarks.append("the temperature stays 1: each label has a probability for itself")
    elif correct[fitting].all():
        temperature = 1.0
        remarks.append("the temperature stays 1: it cannot be fitted, because every picture for it is classified correctly")
    else:
        temperature = round(fit_temperature(logits[fitting], truth[fitting]), 5)
    likely = probabilities(logits, card.output, temperature)
    threshold = float(np.quantile(likely[fitting].max(axis=1), 1 - ACCEPTED_SHARE, method="lower"))
    return Evaluation(
        Calibration(temperature=temperature),
        Rejection(score="max_softmax", threshold=round(threshold, 5)),
        compute_metrics(
            likely[~fitting],
            truth[~fitting],
            card.labels,
            dataset=name,
            split="every second of each label; temperature and threshold come from the others",
        ),
        None,
        remarks,
    )


def open_model(model: Path, card: ModelCard) -> LogitsFunction:
    """The logits of a validated model on the processor, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return LogitsFunction(session_run(session, card.output), card.output, card.fixed_batch)

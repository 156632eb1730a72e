"""Calibrates and evaluates a model on labelled images: a folder per label (label/name.png), as training takes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.calibration import fit_temperature
from models.card import Calibration, CardError, Metrics, ModelCard, Rejection
from models.metrics import compute_metrics
from models.outputs import Logits, LogitsFunction, probabilities, session_run
from models.pictures import IMAGE_LIMITS, MIN_IMAGES, paths_by_label
from preprocessing import ImageError, Tensor, decode, preprocess

BATCH_SIZE: Final = 32
ACCEPTED_SHARE: Final = 0.985

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Temperature and rejection threshold fitted on one half of the images, metrics of the other; ``remarks`` is for people."""

    calibration: Calibration
    rejection: Rejection
    metrics: Metrics
    remarks: list[str]


def evaluate(model: Path, card: ModelCard, folder: Path) -> Evaluation:
    """Calibrate and evaluate a validated model on the images in ``folder``, preprocessed as in the service.

    Of each label every second image is used to fit temperature and threshold, the others to compute the metrics. Images are
    sorted by the hash of their content, so that file names do not matter. Files with equal bytes count once.

    Raises:
        CardError: folders that are not labels, one image under two labels, fewer than 20 readable images.
    """
    function, spec, labels = open_model(model, card), card.input, card.labels
    logits, truth, fitting, remarks = [], [], [], []
    batch: list[Tensor] = []
    unreadable: list[str] = []
    for index, paths in enumerate(paths_by_label(folder, labels)):
        readable = 0
        for path in paths:
            try:
                batch.append(preprocess(decode(path.read_bytes(), IMAGE_LIMITS, spec.colour_side), spec))
            except ImageError as error:
                unreadable.append(f"{path.parent.name}/{path.name}: {error}")
                continue
            truth.append(index)
            fitting.append(readable % 2 == 0)
            readable += 1
            if len(batch) == BATCH_SIZE:
                logits.append(function(np.stack(batch)))
                batch = []
        if readable < 2:
            remarks.append(f"{readable} readable pictures of {labels[index]}: at least 2 are needed to measure this label")
    if min(sum(fitting), len(fitting) - sum(fitting)) < MIN_IMAGES // 2:
        raise CardError(f"{folder}: holds {len(truth)} readable pictures; at least {MIN_IMAGES} are needed, two of each label")
    if batch:
        logits.append(function(np.stack(batch)))
    if unreadable:
        remarks.append(f"{len(unreadable)} pictures cannot be read and are left out, such as {unreadable[0]}")
    name = folder.resolve().name
    return _evaluation(
        np.concatenate(logits), np.array(truth, dtype=np.int64), np.array(fitting), card, name=name, remarks=remarks
    )


def _evaluation(logits: Logits, truth: Labels, fitting: Mask, card: ModelCard, *, name: str, remarks: list[str]) -> Evaluation:
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
            dataset=f"pictures of one's own ({name})",
            split="every second of each label; temperature and threshold come from the others",
        ),
        remarks,
    )


def open_model(model: Path, card: ModelCard) -> LogitsFunction:
    """The logits of a validated model on the processor, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return LogitsFunction(session_run(session, card.output), card.output, card.fixed_batch)

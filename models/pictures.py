"""What a model is worth on pictures of one's own: a folder per label (label/name.png), as training takes them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.calibration import accepting_threshold, best_temperature, log_softmax
from models.card import Calibration, CardError, Metrics, Rejection
from models.measurement import measured
from preprocessing import ImageError, InputSpec, Limits, Tensor, decode, preprocess

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
LIMITS: Final = Limits(pixels=16_777_216)
FEWEST: Final = 20
BATCH: Final = 32
ACCEPTED: Final = 0.985

Labels = npt.NDArray[np.int64]
Halves = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Worth:
    """Temperature and threshold from one half of the pictures, measured on the other; ``remarks`` is for people."""

    calibration: Calibration
    rejection: Rejection
    metrics: Metrics
    remarks: list[str]


def worth(model: Path, spec: InputSpec, labels: Sequence[str], folder: Path) -> Worth:
    """Show a checked model the pictures under ``folder``, prepared as the service prepares them.

    Of each label every second picture fits temperature and threshold, the others are measured. Which are which goes by their
    content, so that neither names nor the order of files matter; of pictures that are the same to the byte one is taken.

    Raises:
        CardError: folders that are no labels, the same picture under two labels, fewer than 20 pictures that can be read.
    """
    session = ort.InferenceSession(str(model), _one_thread(), providers=["CPUExecutionProvider"])
    logits, truth, fitting, remarks = [], [], [], []
    batch: list[Tensor] = []
    unread: list[str] = []
    for number, paths in enumerate(_by_label(folder, labels)):
        readable = 0
        for path in paths:
            try:
                batch.append(preprocess(decode(path.read_bytes(), LIMITS), spec))
            except ImageError as error:
                unread.append(f"{path.parent.name}/{path.name}: {error}")
                continue
            truth.append(number)
            fitting.append(readable % 2 == 0)
            readable += 1
            if len(batch) == BATCH:
                logits.append(_run(session, batch))
                batch = []
        if readable < 2:
            remarks.append(f"{readable} pictures of {labels[number]} that can be read: it is not measured")
    if min(sum(fitting), len(fitting) - sum(fitting)) < FEWEST // 2:
        raise CardError(f"{folder}: holds {len(truth)} pictures that can be read; at least {FEWEST} are needed, two of a label")
    if batch:
        logits.append(_run(session, batch))
    if unread:
        remarks.append(f"{len(unread)} pictures cannot be read and do not count, such as {unread[0]}")
    half, known = np.array(fitting), np.array(truth, dtype=np.int64)
    return _worth(np.concatenate(logits), known, half, labels, folder.resolve().name, remarks)


def _by_label(folder: Path, labels: Sequence[str]) -> Iterator[list[Path]]:
    """The pictures of each label, in the order of the hashes of their content, each content once."""
    if not folder.is_dir():
        raise CardError(f"{folder}: is no folder of pictures (label/name.png)")
    folders = (path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    strange = sorted(set(folders) - set(labels))
    if strange:
        raise CardError(f"{folder}: holds the folders {', '.join(strange)}, which are no labels of the model")
    seen: dict[str, Path] = {}
    for label in labels:
        found: dict[str, Path] = {}
        for path in sorted((folder / label).glob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                if twin := seen.get(digest):
                    raise CardError(f"{folder}: {twin.parent.name}/{twin.name} and {label}/{path.name} are the same picture")
                found[digest] = path
        seen |= found
        yield [path for _, path in sorted(found.items())]


def _worth(logits: Tensor, truth: Labels, fitting: Halves, labels: Sequence[str], name: str, remarks: list[str]) -> Worth:
    right = logits.argmax(axis=1) == truth
    if right[fitting].all():
        temperature = 1.0
        remarks.append("no error among the pictures for the temperature: it stays 1, for nothing says how sure to be")
    else:
        temperature = round(best_temperature(logits[fitting], truth[fitting]), 5)
    threshold = accepting_threshold(logits[fitting], "max_softmax", temperature, ACCEPTED)
    return Worth(
        Calibration(temperature=temperature),
        Rejection(score="max_softmax", threshold=round(threshold, 5)),
        measured(
            np.exp(log_softmax(logits[~fitting], temperature)),
            truth[~fitting],
            labels,
            dataset=f"pictures of one's own ({name})",
            split="every second of each label; temperature and threshold come from the others",
        ),
        remarks,
    )


def _one_thread() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return options


def _run(session: ort.InferenceSession, batch: list[Tensor]) -> Tensor:
    (logits,) = session.run(None, {session.get_inputs()[0].name: np.stack(batch)})
    return np.asarray(logits, dtype=np.float32)

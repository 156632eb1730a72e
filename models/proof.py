"""Sessions on an unknown model, and what its answers to random pictures show."""

import re
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from models.trial import Refused

Batch = npt.NDArray[np.float32]

ROWS: Final = 33
BATCHES: Final = (1, 2, 7, 32)
TOLERANCE: Final = 1e-5
MEASURED: Final = (1, 32)
MEASURED_SECONDS: Final = 0.5
FATAL: Final = 4


def open_session(model: onnx.ModelProto) -> Any:
    """A session of one thread.

    Raises:
        Refused: onnxruntime does not take the model.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class per fault, all of them outside its public API
        if "under development" in str(error):
            last = re.search(r"till opset (\d+)", str(error))
            opsets = ", ".join(str(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))
            known = f"up to {last[1]}" if last else "none so new"
            raise Refused(f"wants opset {opsets}; the installed onnxruntime {ort.__version__} knows {known}") from error
        raise Refused(f"cannot be loaded by onnxruntime: {told(error)}") from error


def told(error: Exception) -> str:
    """What onnxruntime says, in one line, without its codes and the places in its source."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ", "", str(error))
    if wanted := re.search(r"Failed to allocate memory for requested buffer of size (\d+)", text):
        return f"it asks for {int(wanted[1]):,} bytes of memory at once"
    text = re.sub(r"/onnxruntime_src/\S+:\d+ .*?\) (?=[A-Z])", "", " ".join(text.split()))
    return text if len(text) <= 300 else f"{text[:300]} ..."


def pictures(n: int, channels: int, size: int, mean: float, std: float) -> Batch:
    """Random pictures as a model sees them, ``float32[n, channels, size, size]``: noise, and bright boxes on black."""
    hand = np.random.default_rng(0)
    levels = hand.random((n, channels, size, size), dtype=np.float32)
    for picture in levels[::2]:
        top, left = hand.integers(0, size // 2, 2)
        height, width = hand.integers(size // 4, size, 2)
        inside = np.zeros((size, size), dtype=bool)
        inside[top : top + height, left : left + width] = True
        picture[:, ~inside] = 0
    return np.asarray((levels - np.float32(mean)) / np.float32(std), dtype=np.float32)


def answers(session: Any, rows: Batch, batch: int) -> Batch:
    """The model's answers ``float32[N, K]`` to rows given ``batch`` at a time, the last ones fewer where it does not divide.

    Raises:
        Refused: it cannot run them, or answers with anything but K finite numbers a picture.
    """
    found: list[Batch] = []
    for first in range(0, len(rows), batch):
        some = rows[first : first + batch]
        try:
            (one,) = session.run(None, {session.get_inputs()[0].name: some})
        except Exception as error:  # as above
            raise Refused(f"cannot run a batch of {len(some)}: {told(error)}") from error
        if one.ndim != 2 or len(one) != len(some):
            raise Refused(f"answers a batch of {len(some)} with the shape {list(one.shape)}; a classifier gives [N, labels]")
        if not np.isfinite(one).all():
            raise Refused("gives numbers that are not finite")
        found.append(np.asarray(one, dtype=np.float32))
    return np.concatenate(found)


def check_answers(logits: Batch) -> None:
    """Refuse what a classifier's logits ``[N, K]`` cannot be: the same for every picture, or probabilities."""
    if (logits == logits[0]).all():
        raise Refused(f"answers the same to {len(logits)} different pictures")
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        raise Refused(
            "gives probabilities, and no Softmax at its end could be found to take them back; "
            "export the model without it, so that it gives logits"
        )


def check_equal(session: Any, rows: Batch, expected: Batch) -> None:
    """Prove that each row's answer is the same in batches of any size.

    Raises:
        Refused: an answer differs by more than 1e-5 of the largest logit.
    """
    scale = float(np.abs(expected).max())
    for batch in BATCHES:
        difference = float(np.abs(answers(session, rows, batch) - expected).max())
        if not difference <= TOLERANCE * scale:
            raise Refused(
                f"answers otherwise in a batch of {batch} than alone (by {difference:.2g} of {scale:.2g}): "
                "pictures in one batch are mixed; export the model with a free batch dimension"
            )


def check_same_words(logits: Batch, scores: Batch, kind: str) -> None:
    """Prove that the softmax over labels of the logits is what the model gave before its Softmax was cut off."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    given = np.exp(scores.astype(np.float64)) if kind == "LogSoftmax" else scores
    if logits.shape != scores.shape or not np.abs(probabilities - given).max() <= TOLERANCE:
        raise Refused(f"ends in a {kind} that does not go over the labels; export the model without it")


def milliseconds(session: Any, rows: Batch) -> dict[int, float]:
    """Milliseconds an image on one thread by batch size: the median of as many runs as half a second holds, at least three."""
    found = {}
    for batch in MEASURED:
        some = np.resize(rows, (batch, *rows.shape[1:]))
        taken: list[float] = []
        begun = perf_counter()
        while len(taken) < 3 or (perf_counter() - begun < MEASURED_SECONDS and len(taken) < 200):
            started = perf_counter()
            answers(session, some, batch)
            taken.append(perf_counter() - started)
        found[batch] = float(np.median(taken)) * 1000 / batch
    return found

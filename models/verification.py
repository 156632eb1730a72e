"""Runs an untrusted model on random images and verifies its outputs: logits, and the same ones at every batch size."""

import re
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from models.sandbox import InvalidModel

Batch = npt.NDArray[np.float32]

IMAGES: Final = 33
BATCH_SIZES: Final = (1, 2, 7, 32)
TOLERANCE: Final = 1e-5
TIMED_BATCH_SIZES: Final = (1, 32)
TIMING_SECONDS: Final = 0.5
LOG_FATAL: Final = 4


def open_session(model: onnx.ModelProto) -> Any:
    """Open a session with one thread on the processor.

    Raises:
        InvalidModel: onnxruntime cannot load the model.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = LOG_FATAL
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class per fault, all of them outside its public API
        if "under development" in str(error):
            last = re.search(r"till opset (\d+)", str(error))
            opsets = ", ".join(str(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))
            supported = f"opsets up to {last[1]}" if last else "older ones only"
            raise InvalidModel(
                f"needs opset {opsets}; the installed onnxruntime {ort.__version__} supports {supported}"
            ) from error
        raise InvalidModel(f"cannot be loaded by onnxruntime: {error_message(error)}") from error


def error_message(error: Exception) -> str:
    """The message of an onnxruntime error in one line, without its codes and source locations."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ", "", str(error))
    if requested := re.search(r"Failed to allocate memory for requested buffer of size (\d+)", text):
        return f"it asks for {int(requested[1]):,} bytes of memory at once"
    text = re.sub(r"/onnxruntime_src/\S+:\d+ .*?\) (?=[A-Z])", "", " ".join(text.split()))
    return text if len(text) <= 300 else f"{text[:300]} ..."


def random_images(n: int, channels: int, size: int, mean: float, std: float) -> Batch:
    """Random normalised images ``float32[n, channels, size, size]``: noise, and bright boxes on black, in turn."""
    generator = np.random.default_rng(0)
    levels = generator.random((n, channels, size, size), dtype=np.float32)
    for image in levels[::2]:
        top, left = generator.integers(0, size // 2, 2)
        height, width = generator.integers(size // 4, size, 2)
        inside = np.zeros((size, size), dtype=bool)
        inside[top : top + height, left : left + width] = True
        image[:, ~inside] = 0
    return np.asarray((levels - np.float32(mean)) / np.float32(std), dtype=np.float32)


def run_batches(session: Any, images: Batch, batch_size: int) -> Batch:
    """Run a model on images in batches of ``batch_size``, the last of them smaller where it must be: ``float32[N, K]``.

    Raises:
        InvalidModel: it cannot run them, or returns anything but K finite numbers for each image.
    """
    outputs: list[Batch] = []
    for first in range(0, len(images), batch_size):
        batch = images[first : first + batch_size]
        try:
            (output,) = session.run(None, {session.get_inputs()[0].name: batch})
        except Exception as error:  # as above
            raise InvalidModel(f"cannot run a batch of {len(batch)}: {error_message(error)}") from error
        if output.ndim != 2 or len(output) != len(batch):
            raise InvalidModel(
                f"returns the shape {list(output.shape)} for a batch of {len(batch)}; a classifier returns [N, labels]"
            )
        if not np.isfinite(output).all():
            raise InvalidModel("returns numbers that are not finite")
        outputs.append(np.asarray(output, dtype=np.float32))
    return np.concatenate(outputs)


def reject_non_logits(logits: Batch) -> None:
    """Reject outputs ``[N, K]`` that cannot be logits: the same for every image, or probabilities.

    Raises:
        InvalidModel: with the reason.
    """
    if (logits == logits[0]).all():
        raise InvalidModel(f"returns the same output for {len(logits)} different images")
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        raise InvalidModel(
            "returns probabilities, and no Softmax was found at its end that could be removed: "
            "export the model so that it returns logits"
        )


def verify_batch_invariance(session: Any, images: Batch, expected: Batch) -> None:
    """Verify that the logits of each image are the expected ones in batches of different sizes.

    Raises:
        InvalidModel: a logit differs by more than 1e-5 of the largest one.
    """
    scale = float(np.abs(expected).max())
    for batch_size in BATCH_SIZES:
        difference = float(np.abs(run_batches(session, images, batch_size) - expected).max())
        if not difference <= TOLERANCE * scale:
            raise InvalidModel(
                f"returns other logits in a batch of {batch_size} than for one image (by {difference:.2g} of {scale:.2g}): "
                "the images of a batch influence each other; export the model with a dynamic batch dimension"
            )


def verify_softmax_removal(logits: Batch, outputs: Batch, operator: str) -> None:
    """Verify that the softmax over the labels of ``logits`` equals the outputs before the operator was removed.

    ``operator`` is ``Softmax`` or ``LogSoftmax``.

    Raises:
        InvalidModel: it does not.
    """
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    expected = np.exp(outputs.astype(np.float64)) if operator == "LogSoftmax" else outputs
    if logits.shape != outputs.shape or not np.abs(probabilities - expected).max() <= TOLERANCE:
        raise InvalidModel(f"ends in a {operator} over another axis than the labels: export the model without it")


def measure_latency(session: Any, images: Batch) -> dict[int, float]:
    """Milliseconds per image on one thread, by batch size: the median over half a second of runs, at least three."""
    latencies = {}
    for batch_size in TIMED_BATCH_SIZES:
        batch = np.resize(images, (batch_size, *images.shape[1:]))
        seconds: list[float] = []
        start = perf_counter()
        while len(seconds) < 3 or (perf_counter() - start < TIMING_SECONDS and len(seconds) < 200):
            run_start = perf_counter()
            run_batches(session, batch, batch_size)
            seconds.append(perf_counter() - run_start)
        latencies[batch_size] = float(np.median(seconds)) * 1000 / batch_size
    return latencies

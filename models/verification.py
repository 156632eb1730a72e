"""Runs an untrusted model on random images and verifies its outputs: logits, and the same ones at every batch size."""

import re
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort

from models.outputs import Logits
from models.sandbox import InvalidModel
from preprocessing import InputSpec, Tensor, normalise

Scores = Callable[[Tensor], Logits]
"""Computes a number for each image and label, float32[N,K], of a batch in the layout and type of the model."""

IMAGES: Final = 33
FEW_IMAGES: Final = 9  # of models that take longer than SLOW_SECONDS for an image
SLOW_SECONDS: Final = 0.05
BATCH_SIZES: Final = (1, 2, 7, 32)
TOLERANCE: Final = 1e-5
HALF_TOLERANCE: Final = 1e-2  # of models that compute with float16
TIMING_SECONDS: Final = 0.5
LOG_FATAL: Final = 4
# How onnxruntime names an operator that it does not have, or not for these types.
MISSING_OPERATOR: Final = re.compile(
    r"No Op registered for (.+?) with domain_version|implementation for (\w+\(\d+\)) node"
    r"|(\w+)\([-\d]+\) is not a registered function/op",
    re.DOTALL,
)


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
        if "Failed to serialize proto" in str(error):
            raise MemoryError from error
        if missing := MISSING_OPERATOR.search(str(error)):
            name = next(filter(None, missing.groups()))
            types = " for these types, such as float64" if missing[2] else ""
            raise InvalidModel(
                f"uses the operator {name}, which the installed onnxruntime {ort.__version__} lacks{types}"
            ) from error
        raise InvalidModel(f"cannot be loaded by onnxruntime: {error_message(error)}") from error


def error_message(error: Exception) -> str:
    """The message of an onnxruntime error in one line, without its codes and source locations."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ", "", str(error))
    if requested := re.search(r"Failed to allocate memory for requested buffer of size (\d+)", text):
        return f"it asks for {int(requested[1]):,} bytes of memory at once"
    text = re.sub(r"/onnxruntime_src/\S+:\d+ .*?\) (?=[A-Z])", "", " ".join(text.split()))
    return text if len(text) <= 300 else f"{text[:300]} ..."


def tolerance_of(model: onnx.ModelProto) -> float:
    """The differences between equal outputs of a model, as a share of the largest."""
    values = (*model.graph.input, *model.graph.output, *model.graph.initializer)
    half = onnx.TensorProto.FLOAT16
    types = [value.data_type if isinstance(value, onnx.TensorProto) else value.type.tensor_type.elem_type for value in values]
    return HALF_TOLERANCE if half in types else TOLERANCE


def random_images(n: int, spec: InputSpec) -> Tensor:
    """Random images as inputs of a model: noise, and bright boxes on black, in turn."""
    generator = np.random.default_rng(0)
    shape = (spec.channels, spec.height, spec.width)
    levels = 255 * generator.random((n, *shape), dtype=np.float32)
    for image in levels[::2]:
        top, left = int(generator.integers(0, spec.height // 2)), int(generator.integers(0, spec.width // 2))
        height = int(generator.integers(spec.height // 4, spec.height))
        width = int(generator.integers(spec.width // 4, spec.width))
        inside = np.zeros(shape[1:], dtype=bool)
        inside[top : top + height, left : left + width] = True
        image[:, ~inside] = 0
    return np.stack([normalise(image if spec.layout == "NCHW" else image.transpose(1, 2, 0), spec) for image in levels])


def seconds_of_run(session: Any, names: list[str], batch: Tensor) -> float:
    """Processor seconds of one run."""
    started = process_time()
    session.run(names, {session.get_inputs()[0].name: batch})
    return process_time() - started


def run_batches(scores: Scores, images: Tensor, batch_size: int) -> Logits:
    """Run a model on images in batches of ``batch_size``, the last of them smaller where it must be: ``float32[N, K]``.

    Raises:
        InvalidModel: it cannot run them, or returns anything but K finite numbers for each image.
    """
    outputs: list[Logits] = []
    for first in range(0, len(images), batch_size):
        batch = images[first : first + batch_size]
        try:
            output = scores(batch)
        except ValueError as error:  # of another shape
            raise InvalidModel(str(error)) from error
        except Exception as error:  # as above
            raise InvalidModel(f"cannot run a batch of {len(batch)}: {error_message(error)}") from error
        if not np.isfinite(output).all():
            raise InvalidModel("returns numbers that are not finite")
        outputs.append(output)
    return np.concatenate(outputs)


def reject_constant(scores: Logits) -> None:
    """Reject outputs ``[N, K]`` that are the same for every image.

    Raises:
        InvalidModel: with the reason.
    """
    if (scores == scores[0]).all():
        raise InvalidModel(f"returns the same output for {len(scores)} different images")


def verify_batch_invariance(scores: Scores, images: Tensor, expected: Logits, tolerance: float = TOLERANCE) -> None:
    """Verify that the logits of each image are the expected ones in batches of different sizes.

    Raises:
        InvalidModel: a logit differs by more than ``tolerance`` of the largest one.
    """
    scale = float(np.abs(expected).max())
    for batch_size in (size for size in BATCH_SIZES if size < len(images)):
        difference = float(np.abs(run_batches(scores, images, batch_size) - expected).max())
        if not difference <= tolerance * scale:
            raise InvalidModel(
                f"returns other logits in a batch of {batch_size} than for one image (by {difference:.2g} of {scale:.2g}): "
                "the images of a batch influence each other; export the model with a dynamic batch dimension"
            )


def verify_activation_removal(logits: Logits, outputs: Logits, operator: str, tolerance: float = TOLERANCE) -> None:
    """Verify that an operator over the labels of ``logits`` gives the outputs before it was removed.

    ``operator`` is ``Softmax``, ``LogSoftmax`` or ``Sigmoid``.

    Raises:
        InvalidModel: it does not.
    """
    values = logits.astype(np.float64)
    if operator == "Sigmoid":
        found = 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    else:
        shifted = np.exp(values - values.max(axis=1, keepdims=True))
        found = shifted / shifted.sum(axis=1, keepdims=True)
    expected = np.exp(outputs.astype(np.float64)) if operator == "LogSoftmax" else outputs
    if logits.shape != outputs.shape or not np.abs(found - expected).max() <= tolerance:
        raise InvalidModel(f"ends in a {operator} over another axis than the labels: export the model without it")


def measure_latency(scores: Scores, images: Tensor) -> dict[int, float]:
    """Milliseconds per image on one thread, by batch size: the median over half a second of runs, at least one."""
    latencies = {}
    for batch_size in (1, min(max(BATCH_SIZES), len(images) - 1)):
        batch = images[:batch_size]
        seconds: list[float] = []
        start = perf_counter()
        while not seconds or (perf_counter() - start < TIMING_SECONDS and len(seconds) < 200):
            run_start = perf_counter()
            run_batches(scores, batch, batch_size)
            seconds.append(perf_counter() - run_start)
        latencies[batch_size] = float(np.median(seconds)) * 1000 / batch_size
    return latencies

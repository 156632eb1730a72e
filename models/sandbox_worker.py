"""``python -m models.sandbox_worker``: the process that ``models.sandbox`` starts to parse and run an untrusted ONNX file.

The request, a line of JSON on standard input, has the file, the limits, and where to write the report. No other process parses
or runs the file, so the limits of this process bound what it can use.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any, NamedTuple

import onnx
from pydantic import ValidationError

from models import verification
from models.activation_removal import ends_linearly, remove_activation
from models.card import format_errors
from models.dynamic_batch import make_batch_dynamic
from models.golden import golden_input
from models.graph import read_graph
from models.graph_labels import find_labels
from models.graph_scale import scales_pixels
from models.input_shape import add_batch, unflatten
from models.output_choice import choose_output, detect_kind, keep_output, remove_zip_maps, returns_label
from models.outputs import Logits, LogitsFunction, OutputSpec, session_run, to_logits
from models.quantised_output import dequantise_outputs
from models.sandbox import Hints, InvalidModel
from models.signature import Signature, read_signature
from preprocessing import InputSpec, PhotoGeometry, Tensor


class Classifier(NamedTuple):
    """A model that returns one output, and its scores of the random images at the batch size of its file."""

    model: onnx.ModelProto
    output: OutputSpec
    expected: Logits


def main() -> None:
    """Handle one request."""
    request = json.loads(sys.stdin.read())
    _limit(request["memory_bytes"], request["cpu_seconds"], request["file_bytes"])
    try:
        result = inspect_model(Path(request["path"]), Hints.model_validate(request["hints"]), request["output"])
    except InvalidModel as error:
        result = {"error": str(error)}
    except MemoryError:
        result = {"error": f"needs more than the {request['memory_bytes']:,} bytes of memory allowed"}
    Path(request["report"]).write_text(json.dumps(result), encoding="utf-8")


def inspect_model(path: Path, hints: Hints, output: str | None) -> dict[str, Any]:
    """The content of a ``models.sandbox.ModelReport``; writes a servable version of the model to ``output``, if given.

    Raises:
        InvalidModel: with the reason; without ``output`` also when the file would have to be changed.
    """
    memory_before = _peak_memory()
    model, changes = read_graph(path)
    labels = find_labels(model)
    changes += remove_zip_maps(model)
    changes += dequantise_outputs(model)
    changes += add_batch(model, hints.input)
    changes += unflatten(model, hints.input)
    signature = read_signature(model, hints.input)
    spec, assumptions = _input_spec(model, signature, hints)
    images, session = verification.random_images(_image_count(signature), spec), verification.open_session(model)
    first, count = images[: signature.batch or 1], hints.labels or len(labels) or None
    name = choose_output(model, session, first, hints.output.name, count)
    if verification.seconds_of_run(session, [name], first) / len(first) > verification.SLOW_SECONDS:
        images = images[: _image_count(signature, verification.FEW_IMAGES)]
    del session
    is_single = returns_label(model)
    if output is not None or not hints.output.name:
        changes += keep_output(model, name)
    found, removed = _without_activation(model, signature, images, name, hints, is_single=is_single)
    changes += removed
    if (found.output.kind, found.output.multi_label) != ("logits", False) and not hints.output.kind:
        assumptions.append(f"output {name} looks like {_words(found.output)}; --output-kind and --multi-label override this")
    servable, fixed_batch, freed = _with_free_batch(found, signature, images, hints)
    changes += freed
    if changes and output is None:
        raise InvalidModel(f"cannot be served as it is ({'; '.join(changes)}): import the ONNX file itself, which changes it")
    if output is not None:
        Path(output).write_bytes(servable.SerializeToString(deterministic=True) if changes else path.read_bytes())
    logits = _function(servable, found.output, fixed_batch)
    return {
        "input": spec.model_dump(mode="json", exclude={"geometry"}),
        "output": found.output.model_dump(),
        "fixed_batch": fixed_batch,
        "columns": to_logits(found.expected[:1], found.output).shape[1],
        "labels": labels,
        "changes": changes,
        "assumptions": assumptions,
        "latency_ms": verification.measure_latency(logits, images) if output else {},
        "memory_mib": (_peak_memory() - memory_before) / 2**20,
        "golden_output": verification.run_batches(logits, golden_input(spec), 1)[0].tolist(),
    }


def _input_spec(model: onnx.ModelProto, signature: Signature, hints: Hints) -> tuple[InputSpec, list[str]]:
    """The input of a model, and what was assumed about its pixels. The geometry has no meaning here."""
    given, assumptions = hints.input.normalisation, []
    if signature.form["type"] == "int8" and not {"mean", "std"} & given.keys():
        given = {**given, "mean": 128.0}
        assumptions.append("pixels of -128 to 127 (--mean 128), because the input takes int8")
    whole = not signature.form["type"].startswith("float")
    if "scale" not in given and (whole or scales_pixels(model, signature.input)):
        given = {**given, "scale": 255.0}
        why = "the input takes whole numbers" if whole else "the graph scales them itself"
        assumptions.append(f"pixels of 0 to 255 (--scale 255), because {why}")
    elif "scale" not in given:
        assumptions.append("pixels of 0 to 1 (--scale 1)")
    if not {"mean", "std"} & given.keys():
        assumptions.append("no mean and no standard deviation of the pixels (--mean 0 --std 1)")
    fields = {**signature.form, "transposed": hints.input.transposed, "normalisation": given}
    try:
        return InputSpec.model_validate({**fields, "geometry": PhotoGeometry()}), assumptions
    except ValidationError as error:
        raise InvalidModel(f"does not fit its description: {format_errors(error, 'input')}") from error


def _image_count(signature: Signature, least: int = verification.IMAGES) -> int:
    """How many images to run: whole batches, and one more than the largest batch size that is tried."""
    batch = signature.batch or 1
    return -(-least // batch) * batch


def _function(model: onnx.ModelProto, output: OutputSpec, fixed_batch: int | None = None) -> LogitsFunction:
    return LogitsFunction(session_run(verification.open_session(model), output), output, fixed_batch)


def _without_activation(
    model: onnx.ModelProto, signature: Signature, images: Tensor, name: str, hints: Hints, *, is_single: bool
) -> tuple[Classifier, list[str]]:
    """The model without a softmax or sigmoid at its end, changed in place, what its output is, and what was changed."""
    batch, tolerance = signature.batch or 1, verification.tolerance_of(model)
    spec = OutputSpec(name=name if len(model.graph.output) > 1 else None)
    scores = verification.run_batches(_function(model, spec).scores, images, batch)
    verification.reject_constant(scores)
    operator = remove_activation(model, name)
    if operator is None:
        detected = detect_kind(scores, tolerance, is_linear=ends_linearly(model.graph, name), is_single=is_single)
        kind = hints.output.kind or detected.kind
        multi_label = hints.output.multi_label
        if multi_label is None:
            multi_label = detected.multi_label and kind == detected.kind
        spec = spec.model_copy(update={"kind": kind, "multi_label": multi_label})
        return Classifier(model, spec, scores), []
    logits = verification.run_batches(_function(model, spec).scores, images, batch)
    verification.verify_activation_removal(logits, scores, operator, tolerance)
    spec = spec.model_copy(update={"multi_label": operator == "Sigmoid" and logits.shape[1] > 1})
    return Classifier(model, spec, logits), [f"{operator} at the end removed"]


def _with_free_batch(
    found: Classifier, signature: Signature, images: Tensor, hints: Hints
) -> tuple[onnx.ModelProto, int | None, list[str]]:
    """The model for batches of any size, or the batch size that it must be called with for each image, and the changes.

    Raises:
        InvalidModel: an image has other logits in a batch of copies than in one of other images.
    """
    tolerance = verification.tolerance_of(found.model)
    name = found.output.name or found.model.graph.output[0].name
    dynamic = onnx.ModelProto()
    dynamic.CopyFrom(found.model)
    fixed_batch, reason = hints.fixed_batch or signature.batch or 1, None
    if hints.fixed_batch is None:
        changes = make_batch_dynamic(dynamic, signature, name)
        try:
            scores = _function(dynamic, found.output).scores
            verification.verify_batch_invariance(scores, images, found.expected, tolerance)
            return dynamic, None, changes
        except InvalidModel as error:
            reason = error
    try:
        scores = _function(found.model, found.output, fixed_batch).scores
        verification.verify_batch_invariance(scores, images, found.expected, tolerance)
    except InvalidModel as error:
        raise reason or error from error
    return found.model, fixed_batch, []


def _words(output: OutputSpec) -> str:
    if output.multi_label:
        return "a probability for each label by itself"
    return output.kind.replace("_", " ")


def _limit(memory: int, cpu_seconds: int, file_bytes: int) -> None:
    """Limit memory (to ``memory`` bytes beyond the current use), processor time and file size; disable core dumps."""
    statm = Path("/proc/self/statm")
    if statm.exists():  # on Linux only: elsewhere the address space cannot be limited usefully
        in_use = int(statm.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, in_use + memory)
    _lower(resource.RLIMIT_CPU, cpu_seconds, margin=1)  # SIGXCPU is sent at the soft limit only
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, limit: int, margin: int = 0) -> None:
    """Lower a resource's soft limit to ``limit`` and its hard limit to ``margin`` above; never raise either."""
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY or limit + margin < hard:
        hard = limit + margin
    resource.setrlimit(kind, (min(limit, hard), hard))


def _peak_memory() -> int:
    """The peak resident memory of this process, in bytes; the system's own count begins with the memory of the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text(encoding="ascii").splitlines() if "VmHWM" in line)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()

"""``python -m models.sandbox_worker``: the process that ``models.sandbox`` starts to parse and run an untrusted ONNX file.

The request, a line of JSON on standard input, has the file, the limits, and where to write the report. No other process parses
or runs the file, so the limits of this process bound what it can use.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import onnx

from models import verification
from models.dynamic_batch import make_batch_dynamic
from models.golden import golden_input
from models.graph import Signature, read_graph, read_signature
from models.sandbox import InvalidModel
from models.softmax_removal import remove_softmax


def main() -> None:
    """Handle one request."""
    request = json.loads(sys.stdin.read())
    _limit(request["memory_bytes"], request["cpu_seconds"], request["file_bytes"])
    try:
        result = inspect_model(Path(request["path"]), request["mean"], request["std"], request["output"])
    except InvalidModel as error:
        result = {"error": str(error)}
    except MemoryError:
        result = {"error": f"needs more than the {request['memory_bytes']:,} bytes of memory allowed"}
    Path(request["report"]).write_text(json.dumps(result), encoding="utf-8")


def inspect_model(path: Path, mean: float, std: float, output: str | None) -> dict[str, Any]:
    """The content of a ``models.sandbox.ModelReport``; writes a servable version of the model to ``output``, if given.

    Raises:
        InvalidModel: with the reason; without ``output`` also when the file would have to be changed.
    """
    memory_before = _peak_memory()
    model, changes = read_graph(path)
    signature = read_signature(model)
    images = verification.random_images(_image_count(signature), signature.channels, signature.size, mean, std)
    model, expected, softmax_changes = _without_softmax(model, signature, images)
    changes += softmax_changes
    dynamic = onnx.ModelProto()
    dynamic.CopyFrom(model)
    changes += make_batch_dynamic(dynamic, signature)
    if changes and output is None:
        raise InvalidModel(f"cannot be served as it is ({'; '.join(changes)}): import the ONNX file itself, which changes it")
    session = verification.open_session(dynamic)
    try:
        verification.verify_batch_invariance(session, images, expected)
    except InvalidModel as error:
        if signature.batch is None:
            raise
        raise InvalidModel(
            f"has a batch size fixed at {signature.batch} that cannot be made dynamic, so export it with a dynamic one. "
            f"After the change it {error}"
        ) from error
    if output is not None:
        Path(output).write_bytes(dynamic.SerializeToString(deterministic=True) if changes else path.read_bytes())
    golden = golden_input(signature.size, signature.channels, mean, std)
    return {
        "labels": expected.shape[1],
        "channels": signature.channels,
        "size": signature.size,
        "changes": changes,
        "latency_ms": verification.measure_latency(session, images) if output else {},
        "memory_mib": (_peak_memory() - memory_before) / 2**20,
        "golden_output": verification.run_batches(session, golden, 1)[0].tolist(),
    }


def _image_count(signature: Signature) -> int:
    """How many images to run: whole batches, and one more than the largest batch size that is tried."""
    batch = signature.batch or 1
    return -(-verification.IMAGES // batch) * batch


def _without_softmax(
    model: onnx.ModelProto, signature: Signature, images: verification.Batch
) -> tuple[onnx.ModelProto, verification.Batch, list[str]]:
    """The model without a Softmax at its end, its logits at the batch size of the file, and what was changed."""
    batch = signature.batch or 1
    outputs = verification.run_batches(verification.open_session(model), images, batch)
    without = onnx.ModelProto()
    without.CopyFrom(model)
    operator = remove_softmax(without, signature)
    if operator is None:
        verification.reject_non_logits(outputs)
        return model, outputs, []
    logits = verification.run_batches(verification.open_session(without), images, batch)
    verification.verify_softmax_removal(logits, outputs, operator)
    verification.reject_non_logits(logits)
    return without, logits, [f"{operator} at the end removed"]


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
    """The peak resident memory of this process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()

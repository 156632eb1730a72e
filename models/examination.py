"""``python -m models.examination``: what ``models.trial`` starts to look at a file nobody vouches for.

A request, a line of JSON on standard input, names the file, the limits and where the answer goes. Only this process parses
and runs the file, so that whatever it asks for ends at this process's limits.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import onnx

from models import proof
from models.batch import free_batch
from models.graph import Ends, ends, read_graph
from models.probe import probe
from models.tail import cut_softmax
from models.trial import Refused


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.stdin.read())
    _limit(request["memory_bytes"], request["cpu_seconds"], request["file_bytes"])
    try:
        answer = examine(Path(request["path"]), request["mean"], request["std"], request["rewritten"])
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": f"needs more than the {request['memory_bytes']:,} bytes of memory allowed"}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def examine(path: Path, mean: float, std: float, rewritten: str | None) -> dict[str, Any]:
    """Everything ``models.trial.Finding`` holds; writes the model as it can be served to ``rewritten``, if that is given.

    Raises:
        Refused: with the reason; without ``rewritten`` also when the file would have to be changed.
    """
    before = _peak()
    model, changes = read_graph(path)
    found = ends(model)
    rows = proof.pictures(_rows(found), found.channels, found.size, mean, std)
    model, expected, changed = _logits(model, found, rows)
    changes += changed
    free = onnx.ModelProto()
    free.CopyFrom(model)
    changes += free_batch(free, found)
    if changes and rewritten is None:
        raise Refused(f"cannot be served as it is ({'; '.join(changes)}): import the ONNX file itself, which changes it")
    session = proof.open_session(free)
    try:
        proof.check_equal(session, rows, expected)
    except Refused as refusal:
        if found.batch is None:
            raise
        raise Refused(
            f"has a batch fixed at {found.batch} that cannot be made free, so export it with a free one; changed, it {refusal}"
        ) from refusal
    if rewritten is not None:
        Path(rewritten).write_bytes(free.SerializeToString(deterministic=True) if changes else path.read_bytes())
    return {
        "labels": expected.shape[1],
        "channels": found.channels,
        "size": found.size,
        "changes": changes,
        "milliseconds": proof.milliseconds(session, rows) if rewritten else {},
        "memory_mib": (_peak() - before) / 2**20,
        "probed": proof.answers(session, probe(found.size, found.channels, mean, std), 1)[0].tolist(),
    }


def _rows(found: Ends) -> int:
    """How many pictures are shown: whole batches, and one more than the largest that is tried."""
    batch = found.batch or 1
    return -(-proof.ROWS // batch) * batch


def _logits(model: onnx.ModelProto, found: Ends, rows: proof.Batch) -> tuple[onnx.ModelProto, proof.Batch, list[str]]:
    """The model without a Softmax at its end, its answers in batches as they are in the file, and what was changed."""
    scores = proof.answers(proof.open_session(model), rows, found.batch or 1)
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    kind = cut_softmax(cut, found)
    if kind is None:
        proof.check_answers(scores)
        return model, scores, []
    logits = proof.answers(proof.open_session(cut), rows, found.batch or 1)
    proof.check_same_words(logits, scores, kind)
    proof.check_answers(logits)
    return cut, logits, [f"{kind} at the end cut off"]


def _limit(memory: int, cpu_seconds: int, file_bytes: int) -> None:
    """No more memory than ``memory`` beyond what is in use now, no more time on the CPU, no large files, no core dumps."""
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere the address space cannot be limited to any use
        in_use = int(statm.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, in_use + memory)
    _lower(resource.RLIMIT_CPU, cpu_seconds, room=1)  # the signal that tells of it comes at the soft limit only
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, limit: int, room: int = 0) -> None:
    """Set a limit, and a hard one ``room`` above it, unless there is a lower one already."""
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY or limit + room < hard:
        hard = limit + room
    resource.setrlimit(kind, (min(limit, hard), hard))


def _peak() -> int:
    """The most memory this process ever held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()

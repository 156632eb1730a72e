"""Inspects an untrusted ONNX file in a subprocess with limits on memory, processor time and file size."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from models.card import CardError
from models.card_fields import StrictModel
from models.outputs import Kind, OutputSpec
from preprocessing import Colour, Layout

ROOT: Final = Path(__file__).parent.parent
MAX_BYTES: Final = 512 * 2**20  # of a model, and of its external data


class InvalidModel(Exception):
    """An ONNX file that cannot be served; the text is the reason and follows the file's name in a sentence."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """The resources a sandbox may use. Memory is counted on top of an idle interpreter with onnxruntime loaded.

    Each byte of weights, which lie in the file or beside it, may take ``memory_per_byte`` more: they are copied when they are
    read, changed and opened.
    """

    memory_bytes: int = 2 * 2**30
    memory_per_byte: int = 5
    cpu_seconds: int = 60
    file_bytes: int = 2**30
    wall_seconds: float = 300.0


class InputHints(StrictModel):
    """Fields of an ``InputSpec`` that are known before a model is inspected; ``normalisation`` has only those that are."""

    layout: Layout | None = None
    height: int | None = None
    width: int | None = None
    colour: Colour | None = None
    transposed: bool = False
    normalisation: dict[str, Any] = Field(default={})


class OutputHints(StrictModel):
    """Fields of an ``OutputSpec`` that are known before a model is inspected."""

    name: str | None = None
    kind: Kind | None = None
    multi_label: bool | None = None


class Hints(StrictModel):
    """What a card or its owner says about a model before it is inspected; ``labels`` is their number."""

    input: InputHints = InputHints()
    output: OutputHints = OutputHints()
    labels: int | None = None
    fixed_batch: int | None = None


class ModelReport(StrictModel):
    """What was found about an ONNX file: the form of its input and output, labels, changes made to it, cost, golden output.

    ``columns`` is the number of labels, and ``labels`` are those that the graph names, if it does. ``input`` are the fields of
    an ``InputSpec`` but for the geometry. ``latency_ms`` is milliseconds per image on one thread, by batch size.
    ``golden_output`` are the logits of the golden input.
    """

    input: dict[str, Any]
    output: OutputSpec = OutputSpec()
    fixed_batch: int | None = None
    columns: int
    labels: list[str] = Field(default=[])
    changes: list[str]
    assumptions: list[str] = Field(default=[])
    latency_ms: dict[int, float]
    memory_mib: float
    golden_output: list[float]

    @property
    def cost(self) -> str:
        """The measured cost in one line."""
        per_image = ", ".join(f"{latency:.3g} ms an image in a batch of {batch}" for batch, latency in self.latency_ms.items())
        return f"{per_image}, on one thread; {self.memory_mib:.0f} MiB of memory"


DEFAULT_LIMITS: Final = SandboxLimits()
NO_HINTS: Final = Hints()


def inspect_model(
    path: Path, hints: Hints = NO_HINTS, *, output: Path | None = None, limits: SandboxLimits = DEFAULT_LIMITS
) -> ModelReport:
    """Inspect an ONNX file in a sandbox, and verify that its outputs do not depend on the batch size.

    With ``output``, a servable version is written there, and the file may need changes for that (a fixed batch, a softmax at
    the end, external data, further outputs).

    Raises:
        CardError: it is missing, broken, hostile or no classifier; the text has the file and the reason.
    """
    if not path.is_file():
        raise CardError(f"{path}: missing, or not a file")
    if find_spec("onnx") is None:
        raise CardError(f"{path}: cannot be inspected without the onnx package. Install requirements/base.txt.")
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder) / "report.json", Path(folder) / "log"
        memory = limits.memory_bytes + limits.memory_per_byte * _size_of_weights(path)
        request = {
            "path": str(path.absolute()),
            "output": str(output.absolute()) if output else None,
            "report": str(report),
            "hints": hints.model_dump(),
            **asdict(limits),
            "memory_bytes": memory,
        }
        failure = _run(json.dumps(request), log, limits)
        result = {"error": failure} if failure else json.loads(report.read_text(encoding="utf-8"))
    if "error" in result:
        raise CardError(f"{path}: {' '.join(result['error'].split())}")
    texts = {name: [" ".join(text.split()) for text in result[name]] for name in ("changes", "assumptions")}
    return ModelReport.model_validate({**result, **texts})


def _size_of_weights(path: Path) -> int:
    """The bytes of the files that may hold the weights of a model, as far as they may be read."""
    return min(sum(file.stat().st_size for file in path.parent.iterdir() if file.is_file()), MAX_BYTES)


def _run(request: str, log: Path, limits: SandboxLimits) -> str | None:
    """Run the worker process to its end; the reason where it failed, else None."""
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    with log.open("wb") as output:
        try:
            exit_code = subprocess.run(
                [sys.executable, "-m", "models.sandbox_worker"],
                input=request.encode(),
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=environment,
                timeout=limits.wall_seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return f"takes longer than {limits.wall_seconds:g} s to inspect"
    if exit_code == 0:
        return None
    if exit_code == -signal.SIGXCPU:
        return f"takes more than {limits.cpu_seconds} s of processor time"
    if exit_code < 0:
        return f"ends the sandbox with {signal.Signals(-exit_code).name}: it crashes onnxruntime or needs too much memory"
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return f"cannot be inspected: {' '.join(last)}"

"""An ONNX file that nobody vouches for, examined in a process of its own that may take so much and no more."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.card import CardError, Strict

ROOT: Final = Path(__file__).parent.parent


class Refused(Exception):
    """An examination ends with this when the file is not taken; the text is the reason, to be read after the file's name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an examination may take; the memory counts beyond what an idle interpreter with onnxruntime has."""

    memory_bytes: int = 2 * 2**30
    cpu_seconds: int = 60
    file_bytes: int = 2**30
    wall_seconds: float = 300.0


class Finding(Strict):
    """What an examined model is: its ends, what was changed in the rewritten file, what that costs on one thread, and the
    logits it gives the probe."""

    labels: int
    channels: int
    size: int
    changes: list[str]
    milliseconds: dict[int, float]
    memory_mib: float
    probed: list[float]

    @property
    def cost(self) -> str:
        """The measured cost in one line."""
        per_image = ", ".join(f"{taken:.3g} ms an image in a batch of {batch}" for batch, taken in self.milliseconds.items())
        return f"{per_image}, on one thread; {self.memory_mib:.0f} MiB of memory"


LIMITS: Final = Limits()


def examine(
    path: Path, *, rewritten: Path | None = None, mean: float = 0.0, std: float = 1.0, limits: Limits = LIMITS
) -> Finding:
    """Check an ONNX file, and prove that it answers each picture alike in batches of any size.

    ``mean`` and ``std`` are the card's: the model is tried on pictures normalised by them. With ``rewritten`` a file that has
    to be changed for that (a fixed batch, a softmax at the end, data in other files) is changed and written there.

    Raises:
        CardError: it is missing, broken, hostile or no classifier; the text names the file and the reason.
    """
    if not path.is_file():
        raise CardError(f"{path}: missing, or no file")
    if find_spec("onnx") is None:
        raise CardError(f"{path}: cannot be examined without the onnx package, which requirements/base.txt brings")
    with tempfile.TemporaryDirectory() as folder:
        answer, log = Path(folder) / "answer.json", Path(folder) / "log"
        request = {
            "path": str(path.absolute()),
            "rewritten": str(rewritten.absolute()) if rewritten else None,
            "answer": str(answer),
            "mean": mean,
            "std": std,
            **asdict(limits),
        }
        fault = _run(json.dumps(request), log, limits)
        said = {"refused": fault} if fault else json.loads(answer.read_text(encoding="utf-8"))
    if "refused" in said:
        raise CardError(f"{path}: {' '.join(said['refused'].split())}")
    return Finding.model_validate({**said, "changes": [" ".join(change.split()) for change in said["changes"]]})


def _run(request: str, log: Path, limits: Limits) -> str | None:
    """Start an examination and wait for it; how it ended, unless well."""
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    with log.open("wb") as output:
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "models.examination"],
                input=request.encode(),
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=environment,
                timeout=limits.wall_seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return f"is not done within {limits.wall_seconds:g} s"
    if ended == 0:
        return None
    if ended == -signal.SIGXCPU:
        return f"keeps the processor busy for more than {limits.cpu_seconds} s"
    if ended < 0:
        return f"ends the process that tries it, with {signal.Signals(-ended).name}: it breaks onnxruntime or takes too much"
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return f"cannot be examined: {' '.join(last)}"

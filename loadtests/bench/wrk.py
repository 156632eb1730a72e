"""Closed-loop load from wrk: every connection posts the next request when the last is answered."""

import json
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtests.bench.pictures import CONTENT_TYPE

SCRIPT: Final = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS: Final = 10


class WrkError(Exception):
    """wrk is missing or failed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests answered in ``seconds``, latencies in ms, answers of status 400 and above, broken connections.

    ``cpu_seconds`` is what wrk used itself.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    status_errors: int
    socket_errors: int
    cpu_seconds: float

    @property
    def errors(self) -> int:
        """Requests that failed, by status or by a broken connection."""
        return self.status_errors + self.socket_errors


def find_wrk() -> str:
    """Where wrk lies.

    Raises:
        WrkError: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise WrkError("wrk is missing. Install it, on Debian and Ubuntu with `apt-get install wrk`.")
    return path


def post(address: str, body: bytes, connections: int, seconds: int) -> Load:
    """Post a form (see ``pictures.form``) over ``connections`` connections for ``seconds``.

    Raises:
        WrkError: wrk is missing, or could not run.
    """
    with tempfile.NamedTemporaryFile(suffix=".form") as file:
        file.write(body)
        file.flush()
        shape = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        script = ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(SCRIPT), address, "--", file.name, CONTENT_TYPE]
        before = children_cpu_seconds()
        ran = subprocess.run([find_wrk(), *shape, *script], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise WrkError(f"wrk ended with status {ran.returncode}: {ran.stderr.strip() or ran.stdout.strip()}")
    return parse(ran.stdout, children_cpu_seconds() - before)


def children_cpu_seconds() -> float:
    """CPU time of all processes that this one has started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def parse(output: str, cpu_seconds: float) -> Load:
    """The figures in what wrk printed.

    Raises:
        WrkError: the line of JSON is missing.
    """
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise WrkError(f"wrk printed no figures:\n{output}")
    figures = json.loads(lines[-1])
    return Load(
        requests=figures["requests"],
        seconds=figures["microseconds"] / 1e6,
        p50_ms=figures["p50"] / 1e3,
        p99_ms=figures["p99"] / 1e3,
        status_errors=figures["status_errors"],
        socket_errors=figures["socket_errors"],
        cpu_seconds=cpu_seconds,
    )

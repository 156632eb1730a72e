"""Closed-loop load with wrk: every connection posts the next request when the last is answered.

The benchmark compares servers on the cores that the client uses too: wrk takes a tenth of the CPU time of any Python client.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from loadtests.benchmark.results import Load
from loadtests.requests import FORM_TYPE

SCRIPT: Final = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS: Final = 10


class WrkError(Exception):
    """wrk is missing or failed; the text says what to do."""


def find_wrk() -> str:
    """Find the path of wrk.

    Raises:
        WrkError: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise WrkError("wrk is missing. Install it, on Debian and Ubuntu with `apt-get install wrk`.")
    return path


def post(address: str, body: bytes, connections: int, seconds: int) -> Load:
    """Post a form over ``connections`` connections for ``seconds``.

    Raises:
        WrkError: wrk is missing, or could not run.
    """
    with tempfile.NamedTemporaryFile(suffix=".form") as file:
        file.write(body)
        file.flush()
        options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        script = ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(SCRIPT), address, "--", file.name, FORM_TYPE]
        ran = subprocess.run([find_wrk(), *options, *script], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise WrkError(f"wrk ended with status {ran.returncode}: {ran.stderr.strip() or ran.stdout.strip()}")
    return parse(ran.stdout)


def parse(output: str) -> Load:
    """Parse what wrk printed.

    Raises:
        WrkError: the line of JSON is missing.
    """
    for line in output.splitlines():
        if line.startswith("{"):
            return Load.model_validate_json(line)
    raise WrkError(f"wrk printed no figures:\n{output}")

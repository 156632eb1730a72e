"""The bentoml command with a store of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT, service_environment


def bentoml(home: Path, *arguments: str, cwd: Path = ROOT) -> None:
    """Run the bentoml command; its store is ``home``."""
    command = [sys.executable, "-m", "bentoml", *arguments]
    environment = {**os.environ, **service_environment(home, 3000)}
    ended = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr

"""ONNX Runtime sends usage reports to Microsoft unless a variable forbids it before the import; every package sets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import PACKAGES, imported
from tests.support.processes import ROOT

USERS = sorted(
    package for package in PACKAGES if any("onnxruntime" in imported(module) for module in (ROOT / package).rglob("*.py"))
)
MODEL = ROOT / "models" / "digits" / "model.onnx"


def test_these_rooms_run_models() -> None:
    assert USERS == ["loadtests", "models", "serving", "training"]


@pytest.mark.parametrize("package", USERS)
def test_a_session_leaves_nothing_behind_that_would_be_sent(package: str, tmp_path: Path) -> None:
    script = f"import {package}, onnxruntime; onnxruntime.InferenceSession({str(MODEL)!r}, providers=['CPUExecutionProvider'])"
    environment = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "CI")}
    command = [sys.executable, "-c", script]
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run(command, cwd=ROOT, env={**environment, **places}, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == []

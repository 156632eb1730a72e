"""What the Bento has not installed is not needed to load models."""

import subprocess
import sys

from tests.support.processes import ROOT


def test_models_are_loaded_without_onnx() -> None:
    program = "import sys; sys.modules['onnx'] = None; import models.store, models.card, models.check"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr

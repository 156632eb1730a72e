"""Loading models needs only the packages that a Bento installs."""

import subprocess
import sys

from tests.support.processes import ROOT


def test_models_load_without_onnx() -> None:
    program = "import sys; sys.modules['onnx'] = None; import models.store, models.card, models.validation"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr

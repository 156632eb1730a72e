import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.settings import Settings, available_cpus
from serving.startup import load_settings
from tests.processes import ROOT

README = Path(ROOT / "README.md")


def test_every_setting_is_documented_typed_and_bounded() -> None:
    readme = README.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`{name.upper()}`" in readme, f"{name.upper()} is missing from README.md"


def test_workers_default_to_the_cpus() -> None:
    assert Settings().workers == available_cpus()


@pytest.mark.parametrize(("name", "value"), [("PORT", "0"), ("PORT", "http"), ("MAX_BATCH_SIZE", "-1"), ("DEVICE", "tpu")])
def test_a_bad_value_stops_the_start_and_names_the_field(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 2
    assert f"Setting {name}='{value}' is not valid" in capsys.readouterr().err


def test_models_that_were_not_imported_stop_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"}
    ended = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", "service:ImageClassifier"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "python -m models import" in ended.stderr
    assert "Traceback" not in ended.stderr

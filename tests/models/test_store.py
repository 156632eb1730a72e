import shutil
from pathlib import Path

import yaml

from models.card import CARD_FILE, MODEL_FILE, file_sha256
from models.store import CATALOGUE
from tests.models.catalogues import models


def test_import_twice_is_idempotent(tmp_path: Path) -> None:
    first, second = models(tmp_path, "import"), models(tmp_path, "import")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "digits:1.0.0 imported" in first.stdout
    assert "digits:1.0.0 is in the store already" in second.stdout
    assert "in the store" in models(tmp_path, "list").stdout


def test_other_weights_need_another_version(tmp_path: Path) -> None:
    assert models(tmp_path, "import").returncode == 0
    catalogue = tmp_path / "catalogue"
    folder = catalogue / "digits"
    shutil.copytree(CATALOGUE / "digits", folder)
    with (folder / MODEL_FILE).open("ab") as file:
        file.write(b"\x82\x01\x00")  # an empty field 16, unknown to ONNX: the same model in other bytes
    card = yaml.safe_load((folder / CARD_FILE).read_text())
    card["sha256"] = file_sha256(folder / MODEL_FILE)
    (folder / CARD_FILE).write_text(yaml.safe_dump(card))
    refused = models(tmp_path, "--catalogue", str(catalogue), "import", str(folder))
    assert refused.returncode == 1
    assert "Raise the version" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert models(tmp_path, "import", "--replace", str(folder), catalogue=catalogue).returncode == 0


def test_verify_names_the_invalid_file(tmp_path: Path) -> None:
    assert models(tmp_path, "verify").returncode == 0
    broken = models(tmp_path, "verify", str(tmp_path))
    assert broken.returncode == 1
    assert CARD_FILE in broken.stderr

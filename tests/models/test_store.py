from pathlib import Path

import pytest

from models.card import CARD_FILE, MODEL_FILE, file_sha256, write_card
from tests.models.catalogues import add_model, models

pytestmark = pytest.mark.slow


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue of one small model."""
    add_model(tmp_path / "catalogue", "marks", ["a", "b"])
    return tmp_path / "catalogue"


def test_import_twice_is_idempotent(tmp_path: Path, catalogue: Path) -> None:
    first, second = (models(tmp_path, "import", catalogue=catalogue) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "marks:1.0.0 imported" in first.stdout
    assert "marks:1.0.0 is in the store already" in second.stdout
    assert "in the store" in models(tmp_path, "list", catalogue=catalogue).stdout


def test_other_weights_need_another_version(tmp_path: Path, catalogue: Path) -> None:
    assert models(tmp_path, "import", catalogue=catalogue).returncode == 0
    folder = tmp_path / "changed" / "marks"
    card = add_model(folder.parent, "marks", ["a", "b"])
    with (folder / MODEL_FILE).open("ab") as file:
        file.write(b"\x82\x01\x00")  # an empty field 16, unknown to ONNX: the same model in other bytes
    write_card(card.model_copy(update={"sha256": file_sha256(folder / MODEL_FILE)}), folder / CARD_FILE)
    refused = models(tmp_path, "--catalogue", str(folder.parent), "import", str(folder))
    assert refused.returncode == 1
    assert "Raise the version" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert models(tmp_path, "import", "--replace", str(folder), catalogue=folder.parent).returncode == 0


def test_verify_names_the_invalid_file(tmp_path: Path, catalogue: Path) -> None:
    assert models(tmp_path, "verify", catalogue=catalogue).returncode == 0
    broken = models(tmp_path, "verify", str(tmp_path), catalogue=catalogue)
    assert broken.returncode == 1
    assert CARD_FILE in broken.stderr

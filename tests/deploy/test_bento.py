"""A Bento is not built from a catalogue that lacks its default model."""

from pathlib import Path

import pytest

from deploy.bento import main
from tests.models.catalogues import add_model
from tests.support.processes import ROOT


def test_missing_default_model_is_one_line_that_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CATALOGUE", str(tmp_path))
    monkeypatch.delenv("DEFAULT_MODEL", raising=False)
    assert main([str(ROOT / "bentofile.yaml")]) == 1
    assert "It holds no card.yaml." in capsys.readouterr().err
    add_model(tmp_path, "pets", ["cat", "dog"])
    assert main([str(ROOT / "bentofile.yaml")]) == 1
    assert capsys.readouterr().err == (
        f"DEFAULT_MODEL='digits' is not in the catalogue at {tmp_path}. There are: pets. Set DEFAULT_MODEL to one of them.\n"
    )

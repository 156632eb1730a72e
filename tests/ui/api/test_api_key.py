from pathlib import Path

import pytest

from ui.api.api_key import api_key


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_the_key_is_read_from_the_secret_file(secrets: Path) -> None:
    (secrets / "api_key").write_text("abc123\n", encoding="utf-8")
    assert api_key() == "abc123"


def test_the_environment_takes_precedence_over_the_file(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secrets / "api_key").write_text("abc123\n", encoding="utf-8")
    monkeypatch.setenv("API_KEY", "def456")
    assert api_key() == "def456"


def test_there_may_be_no_key(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(secrets.iterdir())
    assert api_key() is None
    monkeypatch.delenv("SECRETS_DIR")
    assert api_key() is None

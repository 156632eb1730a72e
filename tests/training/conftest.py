"""A data folder in small, and recipes that hold out as much as it has."""

from pathlib import Path

import pytest

from tests.training.sources import write_data


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that training/README.md describes, in small, with near copies planted."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes show and hold out numbers of pictures that the small data folder can give."""
    from training.recipes import category, digits, fashion, letters

    for module in (digits, fashion):
        monkeypatch.setattr(module, "HELD_OUT", 4)
    monkeypatch.setattr(digits, "STROKES", 3)
    monkeypatch.setattr(letters, "VALIDATION", 3)
    monkeypatch.setattr(letters, "TEST", 5)
    monkeypatch.setattr(letters, "EACH", (12, 12, 12, 12))
    monkeypatch.setattr(category, "EACH", 520)
    monkeypatch.setattr(category, "HELD_OUT", {"validation": 60, "test": 80})
    monkeypatch.setattr(category, "ROWS", 40)
    monkeypatch.setattr(category, "STRANGERS", 60)

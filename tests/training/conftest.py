"""A small data folder, and recipes whose numbers fit it."""

from pathlib import Path

import pytest

from tests.training.synthetic_data import write_datasets


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that training/README.md describes, small and with near duplicates."""
    folder = tmp_path_factory.mktemp("data")
    write_datasets(folder)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes train on and hold out as many images as the small data folder has."""
    from training.recipes import category, digits, fashion, letters

    for module in (digits, fashion):
        monkeypatch.setattr(module, "HELD_OUT", 4)
    for name in ("STROKES", "RARE_STROKES", "OF_EMNIST", "CUT", "PAIRS"):
        monkeypatch.setattr(digits, name, 3)
    monkeypatch.setattr(letters, "VALIDATION", 3)
    monkeypatch.setattr(letters, "TEST", 5)
    monkeypatch.setattr(letters, "EACH", (12, 12, 12, 12))
    monkeypatch.setattr(category, "EACH", 520)
    monkeypatch.setattr(category, "CUT", 20)
    monkeypatch.setattr(category, "PAIRS", 10)
    monkeypatch.setattr(category, "HELD_OUT", {"validation": 60, "test": 80})
    monkeypatch.setattr(category, "ROWS", 40)
    monkeypatch.setattr(category, "HELD_OUT_CLOTHES", 60)

"""Fixtures of the component tests."""

import pytest

from ui.i18n import translation


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the language of the page to Korean."""
    monkeypatch.setattr(translation, "current_language", lambda: "ko")

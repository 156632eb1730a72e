"""Texts: every language has every text, and every text is used."""

import ast
from pathlib import Path
from string import Formatter

import pytest
import streamlit as st

import ui
from ui.i18n.translation import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    MESSAGES_FOLDER,
    current_language,
    load_messages,
    translate_to,
)

OTHERS = [language for language in LANGUAGES if language != DEFAULT_LANGUAGE]
# Which argument of these functions is the key.
KEY_PLACES = {"translate": 0, "translate_to": 1}
MODULES = sorted(Path(ui.__path__[0]).rglob("*.py"))


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def used_messages() -> dict[str, set[str]]:
    """Return all keys that the code passes to `translate` and `translate_to`, with the names of the values."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEY_PLACES:
                key = node.args[KEY_PLACES[node.func.id]]
                if path.stem == "translation":
                    continue
                assert isinstance(key, ast.Constant) and isinstance(key.value, str), (
                    f"{path.name}:{node.lineno}: translate() needs a literal key"
                )
                found.setdefault(key.value, set()).update(keyword.arg or "" for keyword in node.keywords)
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_message(language: str) -> None:
    first, other = load_messages(DEFAULT_LANGUAGE), load_messages(language)
    assert set(other) == set(first)
    assert {key: placeholders(text) for key, text in other.items()} == {key: placeholders(text) for key, text in first.items()}
    assert all(text.strip() for text in other.values())


def test_messages_and_their_uses_match() -> None:
    used = used_messages()
    assert set(used) == set(load_messages(DEFAULT_LANGUAGE))
    assert {key: values for key, values in used.items() if values != placeholders(load_messages(DEFAULT_LANGUAGE)[key])} == {}


def test_every_language_has_a_folder() -> None:
    assert {folder.name for folder in MESSAGES_FOLDER.iterdir()} == set(LANGUAGES)


def test_missing_message_raises_key_error() -> None:
    with pytest.raises(KeyError):
        translate_to(DEFAULT_LANGUAGE, "no.such_message")


@pytest.mark.parametrize(
    ("requested", "language"),
    [
        ("ko", "ko"),
        ("ko-KR", "ko"),
        ("en_GB", "en"),
        ("fr", DEFAULT_LANGUAGE),
        ("../en", DEFAULT_LANGUAGE),
        ("", DEFAULT_LANGUAGE),
    ],
)
def test_unknown_language_falls_back_to_the_default(requested: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"language": requested})
    monkeypatch.setattr(st, "query_params", {})
    assert current_language() == language

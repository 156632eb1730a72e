"""Every message in every language, and every message used."""

import ast
from pathlib import Path
from string import Formatter

import pytest
import streamlit as st

import ui
from ui.language import DEFAULT, LANGUAGES, MESSAGES, current, messages, say_in

OTHERS = [language for language in LANGUAGES if language != DEFAULT]
CODE = sorted(Path(ui.__path__[0]).glob("*.py"))


def places(text: str) -> set[str]:
    """The names of what is to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def asked_for() -> dict[str, set[str]]:
    """Every key that the page's code says, with the names of the values it gives."""
    found: dict[str, set[str]] = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                key = node.args[0]
                assert isinstance(key, ast.Constant) and isinstance(key.value, str), (
                    f"{path.name}:{node.lineno}: say() takes a key as it is written"
                )
                found.setdefault(key.value, set()).update(keyword.arg or "" for keyword in node.keywords)
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_missing(language: str) -> None:
    first, other = messages(DEFAULT), messages(language)
    assert set(other) == set(first)
    assert {key: places(text) for key, text in other.items()} == {key: places(text) for key, text in first.items()}
    assert all(text.strip() for text in other.values())


def test_every_message_is_said_and_every_said_message_is_there() -> None:
    said = asked_for()
    assert set(said) == set(messages(DEFAULT))
    assert {key: values for key, values in said.items() if values != places(messages(DEFAULT)[key])} == {}


def test_languages_have_a_folder_each() -> None:
    assert {folder.name for folder in MESSAGES.iterdir()} == set(LANGUAGES)


def test_a_missing_message_is_an_error() -> None:
    with pytest.raises(KeyError):
        say_in(DEFAULT, "nobody.says_this")


@pytest.mark.parametrize(
    ("asked", "spoken"), [("ko", "ko"), ("ko-KR", "ko"), ("en_GB", "en"), ("fr", DEFAULT), ("../en", DEFAULT), ("", DEFAULT)]
)
def test_a_language_the_page_does_not_speak_is_the_first(asked: str, spoken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"language": asked})
    monkeypatch.setattr(st, "query_params", {})
    assert current() == spoken

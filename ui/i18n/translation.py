"""Looks up texts in the visitor's language. The texts are in `ui/i18n/messages/LANGUAGE/GROUP.json`."""

import json
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

MESSAGES_FOLDER: Final = Path(__file__).parent / "messages"
# Language codes with the name that the page shows; the first is the default.
LANGUAGES: Final = {"en": "English", "ko": "한국어"}
DEFAULT_LANGUAGE: Final = next(iter(LANGUAGES))
_SESSION_KEY: Final = "language"


def translate(key: str, /, **values: object) -> str:
    """Return the text `group.name` in the visitor's language, with `{name}` placeholders replaced by `values`.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    return translate_to(current_language(), key, **values)


def translate_to(language: str, key: str, /, **values: object) -> str:
    """Return the text in a given language of `LANGUAGES`."""
    return load_messages(language)[key].format(**values)


def current_language() -> str:
    """Return the visitor's language code: the chosen one, else the one in the URL, else the browser's, else the default."""
    chosen = st.session_state.get(_SESSION_KEY) or st.query_params.get("lang") or st.context.locale or DEFAULT_LANGUAGE
    code = str(chosen).replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else DEFAULT_LANGUAGE


def set_language(code: str) -> None:
    """Switch the page to a language. It is written to the URL too, so that a reload or a link keeps it."""
    st.session_state[_SESSION_KEY] = code
    st.query_params["lang"] = code


def forget_language() -> None:
    """Discard the visitor's choice, so that the language in the URL or the browser's counts again."""
    st.session_state.pop(_SESSION_KEY, None)


@cache
def load_messages(language: str) -> dict[str, str]:
    """Load all texts of a language by their key `group.name`."""
    files = sorted((MESSAGES_FOLDER / language).glob("*.json"))
    return {
        f"{file.stem}.{name}": text for file in files for name, text in json.loads(file.read_text(encoding="utf-8")).items()
    }

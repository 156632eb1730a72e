"""What the page says, in the visitor's language: ``ui/messages/LANGUAGE/ROOM.json`` holds the sentences."""

import json
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

MESSAGES: Final = Path(__file__).parent / "messages"
# By code, each in its own words; the first is spoken to those who want another.
LANGUAGES: Final = {"en": "English", "ko": "한국어"}
DEFAULT: Final = next(iter(LANGUAGES))
_KEY: Final = "language"


def say(key: str, /, **values: object) -> str:
    """The message ``room.name`` in the language of the visitor this run is for, ``{name}`` filled with ``values``.

    Raises:
        KeyError: there is no such message, or a value it needs is missing.
    """
    return say_in(current(), key, **values)


def say_in(language: str, key: str, /, **values: object) -> str:
    """The message in a language that is in ``LANGUAGES``."""
    return messages(language)[key].format(**values)


def current() -> str:
    """The code of the visitor's language: the one chosen, else the first the browser asks for that the page speaks."""
    chosen = st.session_state.get(_KEY) or st.query_params.get("lang") or st.context.locale or DEFAULT
    code = str(chosen).replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else DEFAULT


def choose(code: str) -> None:
    """Speak this language from now on; it is in the address too, so that a reload or a link keeps it."""
    st.session_state[_KEY] = code
    st.query_params["lang"] = code


@cache
def messages(language: str) -> dict[str, str]:
    """All messages of a language by ``room.name``."""
    files = sorted((MESSAGES / language).glob("*.json"))
    return {
        f"{file.stem}.{name}": text for file in files for name, text in json.loads(file.read_text(encoding="utf-8")).items()
    }

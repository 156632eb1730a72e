"""Streamlit widgets whose value the page owns, and not the browser."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from ui.i18n.translation import current_language

_MISSING: Final = object()


def widget_key(name: str, number: int) -> str:
    """Return the key of a widget that is replaced by a new one, without the state of the former, when its number grows."""
    return f"{name}-{number}" if number else name


def current_key(name: str) -> str:
    """Return the key of the widget that `replace_widget` replaces."""
    return widget_key(name, st.session_state.get(f"{name}-number", 0))


def replace_widget(name: str) -> None:
    """Have a new widget take the place of the one with this name from the next run on, in the state in which it begins.

    This is how the page opens or closes a popover or an expander: as `OwnedWidget` says, a value that is sent may be lost.
    """
    memory = f"{name}-number"
    st.session_state[memory] = st.session_state.get(memory, 0) + 1


@dataclass(frozen=True, slots=True)
class OwnedWidget:
    """A widget with this name that shows a value of the page. Create it just before the widget, and give the widget its `key`,
    the value as its default, and `on_change`.

    Where the page wants another value than the widget has, a new widget takes its place. A value that is sent to an existing
    one may be lost: the server drops what it has not sent when another run begins, and the browser renders the latest of the
    runs it has received, without the values that an earlier one set. The default of a new widget is part of every run.
    """

    name: str
    key: str

    @classmethod
    def showing(cls, name: str, value: object, *, translated: bool = True) -> "OwnedWidget":
        """Return the widget with this name if it has this value, or no value yet, and a new one if it has another value.

        One with `translated` options is also replaced when the language of the page changes: the browser knows a chosen option
        by its text.
        """
        state, memory = st.session_state, f"{name}-widget"
        language = current_language() if translated else ""
        number, labelled_in = state.get(memory, (0, language))
        has = state.get(widget_key(name, number), _MISSING)
        if has not in (value, _MISSING) or labelled_in != language:
            number += 1
        state[memory] = number, language
        return cls(name, widget_key(name, number))

    def on_change(self, take: Callable[[Any], None]) -> Callable[[], None]:
        """Return the callback of the widget, which has `take` receive what the visitor chose. A widget that was replaced
        meanwhile does not count: the browser may still report its value, which was chosen before."""

        def changed() -> None:
            number, _ = st.session_state[f"{self.name}-widget"]
            if self.key == widget_key(self.name, number):
                take(st.session_state[self.key])

        return changed

"""What the page says when there is no answer."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui import markup
from ui.answers import Classification
from ui.client import Problem, Unavailable

# So many labels are named in the hint.
KNOWN: Final = 60

# What the models are made for, as the end of "This does not look like ...".
_NOUNS: Final = {"digits": "a digit", "letters": "a letter", "doodles": "a doodle", "fashion": "a piece of clothing"}


def blank(labels: Sequence[str] = ()) -> None:
    """Nothing is drawn yet; here is what the model would recognise."""
    st.info("Draw on the sheet: the answer appears here as soon as you lift the pen.", icon=":material/draw:")
    if labels:
        known = markup.text(", ".join(labels[:KNOWN]) + (", ..." if len(labels) > KNOWN else ""))
        st.html(f'<p class="quiet">This model knows {known}.</p>')


def trouble(failure: Unavailable | Problem) -> None:
    """The service did not answer, or refused."""
    if isinstance(failure, Unavailable):
        unreachable(failure)
    elif failure.code == "no_ink":
        blank()
    else:
        st.warning(problem(failure), icon=":material/error:")
        retry()


def unreachable(failure: Unavailable) -> None:
    """Where the service should be, why it is not there, and a way to try again."""
    st.error(
        f"The service at `{failure.address}` does not answer: {failure.reason}. Your drawing and the gallery are safe.",
        icon=":material/cloud_off:",
    )
    retry()


def retry() -> None:
    """A button that needs no action of its own: pressing it reruns the page, which asks again what has no answer yet."""
    st.button("Retry", key="retry", icon=":material/refresh:")


def problem(failure: Problem) -> str:
    """A refusal in one or two sentences."""
    if not failure.detail or failure.detail == failure.title:
        return f"**{plain(failure.title)}**"
    return f"**{plain(failure.title)}**: {plain(failure.detail)}"


def rejected(answer: Classification) -> None:
    """The drawing is not what the model was made for; the best guess follows all the same."""
    st.warning(f"This does not look like {noun(answer.model)}. The best guess is only a guess.", icon=":material/help:")
    if answer.reject_reason:
        st.html(f'<p class="quiet">{markup.text(answer.reject_reason)}</p>')


def noun(model: str) -> str:
    """What a model recognises, with its article."""
    return _NOUNS.get(model, "anything this model knows")


def plain(text: str) -> str:
    """Text whose characters Markdown leaves alone."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in text)

"""What the page says when there is no answer."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui import markup, sources
from ui.answers import Classification
from ui.client import Problem, Unavailable

# So many labels are named in the hint.
KNOWN: Final = 60
# What the labels have in common is said where it is no more than so many things.
KINDS: Final = 3

# What to do while there is no picture, by where it is to come from.
_BLANK: Final = {
    sources.DRAW: ("Draw{} on the sheet: the answer appears here as soon as you lift the pen.", ":material/draw:"),
    sources.UPLOAD: ("Upload a photo{}: the answer appears here.", ":material/upload:"),
    sources.CAMERA: ("Take a photo{}: the answer appears here.", ":material/photo_camera:"),
}

# What the service says of a picture it cannot take, in a visitor's words. Asking again would not help.
_PICTURE: Final = {
    "too_large": "This picture is too large",
    "unsupported_media": "This file is not a picture the service can read",
    "undecodable": "This picture is damaged",
    "no_ink": "There is nothing to read on this picture",
}


def blank(source: str, labels: Sequence[str] = ()) -> None:
    """There is no picture yet; here is what to do, and what the model would recognise."""
    request, icon = _BLANK[source]
    thing = plain(noun(labels))
    if thing:
        thing = f" {thing}" if source == sources.DRAW else f" of {thing}"
    st.info(request.format(thing), icon=icon)
    if labels:
        known = markup.text(", ".join(labels[:KNOWN]) + (", ..." if len(labels) > KNOWN else ""))
        st.html(f'<p class="quiet">This model knows {known}.</p>')


def trouble(failure: Unavailable | Problem) -> None:
    """The service did not answer, or refused."""
    if isinstance(failure, Unavailable):
        unreachable(failure)
        return
    st.warning(problem(failure), icon=":material/error:")
    if failure.code not in _PICTURE:
        retry()


def unreachable(failure: Unavailable) -> None:
    """Where the service should be, why it is not there, and a way to try again."""
    st.error(
        f"The service at `{failure.address}` does not answer: {failure.reason}. Your picture and the gallery are safe.",
        icon=":material/cloud_off:",
    )
    retry()


def retry() -> None:
    """A button that needs no action of its own: pressing it reruns the page, which asks again what has no answer yet."""
    st.button("Retry", key="retry", icon=":material/refresh:")


def problem(failure: Problem) -> str:
    """A refusal in one or two sentences."""
    title = _PICTURE.get(failure.code, failure.title)
    if not failure.detail or failure.detail == title:
        return f"**{plain(title)}**"
    return f"**{plain(title)}**: {plain(failure.detail)}"


def rejected(answer: Classification, labels: Sequence[str]) -> None:
    """The picture is not what the model was made for; the best guess follows all the same."""
    thing = noun(labels) or f"anything {answer.model} was made for"
    st.warning(f"This does not look like {plain(thing)}. The best guess is only a guess.", icon=":material/help:")
    if answer.reject_reason:
        st.html(f'<p class="quiet">{markup.text(answer.reject_reason)}</p>')


def noun(labels: Sequence[str]) -> str:
    """What the labels have in common, such as "a digit or a letter", or nothing where they are too many different words."""
    kinds = list(dict.fromkeys(map(kind, labels)))
    if not kinds or len(kinds) > KINDS:
        return ""
    things = [f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}" for kind in kinds]
    return " or ".join(filter(None, (", ".join(things[:-1]), things[-1])))


def kind(label: str) -> str:
    """What a label of one character is; a longer one stands for itself."""
    if len(label) != 1:
        return label
    return "digit" if label.isdigit() else "letter" if label.isalpha() else "sign"


def plain(text: str) -> str:
    """Text whose characters Markdown leaves alone."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in text)

"""What the page says when there is no answer, or none to rely on."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui import faults, markup, sources
from ui.answers import Classification
from ui.client import Problem, Unavailable
from ui.language import say

# So many labels are named in the hint.
KNOWN: Final = 60
# What the labels have in common is said where it is no more than so many things.
KINDS: Final = 3
# A picture that the service refused for one of these would be refused again.
OF_THE_PICTURE: Final = ("too_large", "unsupported_media", "undecodable", "no_ink")


def blank(source: str, labels: Sequence[str] = ()) -> str:
    """There is no picture yet; here is what to do, and what the model would recognise."""
    thing = noun(labels)
    if source == sources.DRAW:
        request = say("notices.draw", thing=thing) if thing else say("notices.draw_anything")
    elif source == sources.UPLOAD:
        request = say("notices.upload", thing=thing) if thing else say("notices.upload_anything")
    else:
        request = say("notices.photograph", thing=thing) if thing else say("notices.photograph_anything")
    known = ", ".join(labels[:KNOWN]) + (", ..." if len(labels) > KNOWN else "")
    knows = f'<p class="quiet">{markup.text(say("notices.knows", labels=known))}</p>' if labels else ""
    return (
        f'<div class="blank"><p class="request">{markup.text(request)}</p>'
        f'<p class="quiet">{markup.text(say("notices.here"))}</p>{knows}{slow()}</div>'
    )


def slow() -> str:
    """The service takes its time. The line is always there; the style sheet shows it when a run lasts."""
    return f'<p class="slow">{markup.text(say("notices.slow"))}</p>'


def rejected(answer: Classification, labels: Sequence[str]) -> str:
    """The picture is not what the model was made for, or shows several of that, and what to do about it."""
    if answer.several:
        title, advice = say("notices.several"), say("notices.one_at_a_time")
    else:
        thing, advice = noun(labels), say("notices.try_this")
        title = say("notices.unlike", thing=thing) if thing else say("notices.unlike_all", model=answer.model)
    reason = f'<p class="quiet">{markup.text(answer.reject_reason)}</p>' if answer.reject_reason else ""
    return (
        f'<div class="doubt" role="note"><p><b>{markup.text(title)}</b> {markup.text(say("notices.only_a_guess"))}</p>'
        f"<p>{markup.text(advice)}</p>{reason}</div>"
    )


def trouble(failure: Unavailable | Problem, key: str = "retry") -> None:
    """The service did not answer, or refused."""
    if isinstance(failure, Unavailable):
        st.html(alert(unreachable(failure)))
        retry(key)
        return
    st.html(alert(faults.explanation(failure), title=faults.headline(failure), advice=faults.advice(failure)))
    if failure.code not in OF_THE_PICTURE:
        retry(key)


def alert(message: str, *, title: str = "", advice: str = "") -> str:
    """What went wrong and what to do, in a box that screen readers announce."""
    heading = f"<b>{markup.text(title)}</b>{': ' if message else ''}" if title else ""
    more = f"<p>{markup.text(advice)}</p>" if advice else ""
    return f'<div class="doubt alert" role="alert"><p>{heading}{markup.text(message)}</p>{more}</div>'


def unreachable(failure: Unavailable) -> str:
    """Where the service should be, why it is not there, and that nothing is lost."""
    return say("notices.unavailable", address=failure.address, reason=faults.reason(failure))


def retry(key: str) -> None:
    """A button that needs no action of its own: pressing it reruns the page, which asks again what has no answer yet."""
    # Two models may fail side by side; a key can press one button alone.
    st.button(say("notices.retry"), key=key, icon=":material/refresh:", shortcut="Enter" if key == "retry" else None)


def noun(labels: Sequence[str]) -> str:
    """What the labels have in common, such as "a digit or a letter", or nothing where they are too many different words."""
    kinds = list(dict.fromkeys(map(kind, labels)))
    if not kinds or len(kinds) > KINDS:
        return ""
    if len(kinds) == 1:
        return kinds[0]
    return say("notices.or", some=", ".join(kinds[:-1]), last=kinds[-1])


def kind(label: str) -> str:
    """What a label of one character is; a longer one stands for itself."""
    word = label if len(label) != 1 else "digit" if label.isdigit() else "letter" if label.isalpha() else "sign"
    known = {
        "digit": say("notices.a_digit"),
        "letter": say("notices.a_letter"),
        "sign": say("notices.a_sign"),
        "drawing": say("notices.a_drawing"),
    }
    if word in known:
        return known[word]
    return say("notices.an", label=word) if word[:1] in tuple("AEIOUaeiou") else say("notices.a", label=word)

"""The challenge: its button, the panel above the sheet while it runs, and its result."""

from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model
from ui.components import countdown, error_texts, markup
from ui.components.notices import label_kind
from ui.i18n.translation import translate
from ui.state.challenge import Difficulty, is_playable
from ui.state.challenge_session import ChallengeSession
from ui.state.session import DRAW, Session

# The label of the project's models for all that is neither digit nor letter.
OTHER_DRAWING: Final = "drawing"
# The hardest labels that the result names.
MAX_HARDEST: Final = 3


def running() -> bool:
    """Whether a challenge is being played."""
    challenge = ChallengeSession.current()
    return challenge is not None and not challenge.game.stopped


def show_start(session: Session, model: Model, device: str) -> None:
    """Show the button that starts a challenge, for a model whose labels can be drawn one after the other."""
    if is_playable(model.card) and ChallengeSession.current() is None:
        title, icon = translate("challenge.start"), ":material/timer:"
        st.button(title, key="challenge-start", icon=icon, on_click=_start, args=[session, model, device])


def show(session: Session, client: Client, model: Model) -> None:
    """Show the panel of the challenge that is played, or its result."""
    challenge = ChallengeSession.current()
    if challenge is None:
        return
    if challenge.model.name != model.name:
        challenge.close()
        return
    with st.container(key="challenge", border=True):
        if challenge.game.stopped:
            _show_result(session, client, challenge)
        else:
            _show_task(session, challenge)


def judge(session: Session, classification: Classification, picture: bytes) -> None:
    """Take the answer to the drawing. If it is right, empty the sheet and ask for the next label in a new run of the page."""
    challenge = ChallengeSession.current()
    if challenge is None:
        return
    challenge.picture = picture
    if challenge.game.judge(classification.label, classification.rejected, picture):
        session.clear()
        st.rerun()


def screen_reader_text() -> str:
    """Return what to draw and the score, for screen readers; an empty text while no challenge is played."""
    challenge = ChallengeSession.current()
    if challenge is None or challenge.game.stopped:
        return ""
    return translate("challenge.screen_reader", task=task(challenge.game.wanted), score=challenge.game.score)


def task(label: str) -> str:
    """Return what to draw for a label: the character, or words for a label that is a word."""
    if label == OTHER_DRAWING:
        return translate("challenge.other_drawing")
    return label if len(label) == 1 else label_kind(label)


def difficulty_text(difficulty: Difficulty) -> str:
    """Return how hard a label was."""
    seconds = f"{difficulty.seconds:.1f}"
    if not difficulty.skipped:
        return translate("challenge.took", task=task(difficulty.label), seconds=seconds)
    return translate("challenge.skipped", task=task(difficulty.label), seconds=seconds, count=difficulty.skipped)


def _show_task(session: Session, challenge: ChallengeSession) -> None:
    game = challenge.game
    wanted = task(game.wanted)
    size = "" if len(wanted) == 1 else " long"
    draw, score = markup.escape(translate("challenge.draw")), markup.escape(translate("challenge.score", score=game.score))
    with st.container(key="challenge-task", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.html(f'<p class="task{size}"><span>{draw}</span> <b>{markup.escape(wanted)}</b></p>', width="content")
        countdown.show(challenge.id, game.remaining, lambda: _stop(session, challenge))
        st.html(f'<p class="challenge-score">{score}</p>', width="content")
    with st.container(key="challenge-tools", horizontal=True):
        arguments = [session, challenge]
        skip, stop = translate("challenge.skip"), translate("challenge.stop")
        st.button(skip, key="challenge-skip", icon=":material/skip_next:", on_click=_skip, args=arguments)
        st.button(stop, key="challenge-stop", icon=":material/stop:", type="tertiary", on_click=_stop, args=arguments)


def _show_result(session: Session, client: Client, challenge: ChallengeSession) -> None:
    game = challenge.game
    hardest = "".join(f"<li>{markup.escape(difficulty_text(each))}</li>" for each in game.hardest(MAX_HARDEST))
    title = f'<p class="muted">{markup.escape(translate("challenge.hardest"))}</p>'
    result = markup.escape(translate("challenge.result", score=game.score))
    st.html(f'<p class="challenge-result">{result}</p>' + (f'{title}<ul class="hardest">{hardest}</ul>' if hardest else ""))
    if session.catalogue is not None and session.catalogue.gallery:
        _show_keep(session, client, challenge)
    with st.container(horizontal=True):
        again, close = translate("challenge.again"), translate("challenge.close")
        arguments = [session, challenge.model, challenge.device]
        st.button(again, key="challenge-again", icon=":material/replay:", on_click=_start, args=arguments)
        st.button(close, key="challenge-close", type="tertiary", icon=":material/close:", on_click=challenge.close)


def _show_keep(session: Session, client: Client, challenge: ChallengeSession) -> None:
    """Show the drawings, and the button that saves them with the labels that were asked for."""
    solved, skipped = (challenge.game.drawings(solved=solved) for solved in (True, False))
    if not solved and not skipped:
        return
    with_skipped = bool(skipped) and st.checkbox(
        translate("challenge.with_skipped", count=len(skipped)), key="challenge-with-skipped", disabled=challenge.saved > 0
    )
    drawings = [*solved, *(skipped if with_skipped else [])]
    if challenge.saved:
        st.html(_note(translate("challenge.kept", count=challenge.saved)))
    if challenge.failure:
        st.html(_note(translate("challenge.not_kept", reason=_reason(challenge.failure))))
    if challenge.saved >= len(drawings):
        return
    pictures = "".join(
        f"<li>{markup.image(each.picture or b'', alt='')}<b>{markup.escape(each.wanted)}</b></li>" for each in drawings
    )
    st.html(f'<ol class="challenge-drawings">{pictures}</ol>{_note(translate("challenge.keep_explanation"))}')

    def keep() -> None:
        challenge.save(client, drawings)
        session.gallery.saved.invalidate()

    icon = ":material/bookmark_add:"
    st.button(translate("challenge.keep", count=len(drawings)), key="challenge-keep", icon=icon, on_click=keep)


def _note(text: str) -> str:
    return f'<p class="muted">{markup.escape(text)}</p>'


def _reason(failure: ServiceUnavailable | ServiceError) -> str:
    if isinstance(failure, ServiceUnavailable):
        return error_texts.with_reference(error_texts.unavailable_reason(failure), failure)
    return error_texts.with_reference(error_texts.title_and_detail(failure), failure)


def _start(session: Session, model: Model, device: str) -> None:
    ChallengeSession.start(model, device)
    session.choose_source(DRAW)
    session.clear()


def _skip(session: Session, challenge: ChallengeSession) -> None:
    challenge.game.skip(challenge.picture if session.has_strokes else None)
    session.clear()


def _stop(session: Session, challenge: ChallengeSession) -> None:
    challenge.game.stop()
    session.clear()

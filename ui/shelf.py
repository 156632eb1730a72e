"""What the service keeps, on the page: cards to correct and delete, and what can be done with all of them."""

from typing import Final

import streamlit as st

from ui import cards, choices, exports, markup
from ui.answers import Catalogue, KeptPicture
from ui.client import Client, Problem
from ui.kept import Kept
from ui.language import say

# No model has this name.
EVERY: Final = "*"


def show(kept: Kept, client: Client, catalogue: Catalogue) -> None:
    """The kept pictures as last heard of, newest first."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.html(cards.title(say("gallery.kept"), f"{kept.total:,}" if kept.entries else ""), width="content")
        _tools(kept, client, catalogue)
    _news(kept)
    if not kept.entries:
        if kept.failure is None:
            st.html(cards.remark(say("gallery.nothing")))
        return
    with st.container(key="kept"):
        for number, entry in enumerate(kept.entries, start=1):
            with st.container(key=f"tile-{entry.id}"):
                _card(kept, client, catalogue, entry, number)
    if kept.more:
        st.button(say("gallery.more"), key="kept-more", icon=":material/expand_more:", on_click=kept.show_more, args=[client])


def _tools(kept: Kept, client: Client, catalogue: Catalogue) -> None:
    with st.container(key="kept-tools", horizontal=True, vertical_alignment="center", width="content"):
        if len(catalogue.models) > 1:
            _models(kept, catalogue)
        st.button(
            say("gallery.refresh"),
            key="kept-refresh",
            type="tertiary",
            icon=":material/refresh:",
            on_click=kept.look_again,
            args=[kept.model],
        )
        if kept.entries:
            href = markup.text(exports.link(kept.model))
            st.html(f'<a class="export" href="{href}" download>{markup.text(say("gallery.export"))}</a>', width="content")
            with st.popover(say("gallery.empty"), type="tertiary", icon=":material/delete:"):
                st.write(say("gallery.warning"))
                # No primary button: Streamlit writes white on the accent, which is light in the dark theme.
                st.button(say("gallery.empty_now"), key="kept-empty", on_click=kept.empty, args=[client])


def _models(kept: Kept, catalogue: Catalogue) -> None:
    def choose() -> None:
        name = st.session_state["kept-model"]
        kept.look_again(None if name == EVERY else name)

    choices.hold("kept-model", kept.model or EVERY)
    st.selectbox(
        say("gallery.model"),
        [EVERY, *catalogue.names()],
        format_func=lambda name: say("gallery.all_models") if name == EVERY else name,
        key="kept-model",
        label_visibility="collapsed",
        width=160,
        on_change=choose,
    )


def _news(kept: Kept) -> None:
    if isinstance(kept.failure, Problem):
        st.html(cards.remark(say("gallery.problem", reason=kept.failure.detail or kept.failure.title)))
    elif kept.failure is not None:
        st.html(cards.remark(say("gallery.away")))
    elif kept.gone:
        st.html(cards.remark(say("gallery.gone")))


def _card(kept: Kept, client: Client, catalogue: Catalogue, entry: KeptPicture, number: int) -> None:
    st.html(cards.kept(entry))
    with st.container(key=f"acts-{entry.id}", horizontal=True, gap="xxsmall", vertical_alignment="center"):
        _correction(kept, client, _labels(catalogue, entry), entry, number)
        st.button(
            say("gallery.delete"),
            key=f"delete-{entry.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=kept.delete,
            args=[client, entry.id],
        )


def _correction(kept: Kept, client: Client, labels: list[str], entry: KeptPicture, number: int) -> None:
    key = f"label-{entry.id}"
    # What the service says counts, also after a correction that failed or was made elsewhere.
    choices.hold(key, entry.corrected if entry.corrected in labels else None)
    st.selectbox(
        say("gallery.correction", number=number),
        labels,
        index=None,
        placeholder=say("gallery.correct"),
        key=key,
        label_visibility="collapsed",
        disabled=not labels,
        on_change=lambda: kept.correct(client, entry.id, st.session_state[key]),
    )


def _labels(catalogue: Catalogue, entry: KeptPicture) -> list[str]:
    """What a picture can be corrected to; nothing where its model is no longer there."""
    return next((model.card.labels for model in catalogue.models if model.name == entry.model), [])

"""Earlier pictures and what they were taken for."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import streamlit as st

from ui import markup
from ui.answers import Classification

LIMIT: Final = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture with the latest answer to it: the number of the drawing where it is one, its hash, and what to show of it."""

    drawing: int | None
    digest: bytes
    thumbnail: bytes | None
    answer: Classification


@dataclass(slots=True)
class Gallery:
    """The latest `LIMIT` pictures, newest first. A drawing has one entry, however many strokes and answers it took."""

    entries: list[Entry] = field(default_factory=list)

    def record(self, drawing: int | None, picture: bytes, thumbnail: bytes | None, answer: Classification) -> None:
        """Enter the picture, or renew its entry where it hangs. The same picture drawn back or sent again counts as one."""
        entry = Entry(drawing, sha256(picture).digest(), thumbnail, answer)
        for place, known in enumerate(self.entries):
            if known.digest == entry.digest or (drawing is not None and known.drawing == drawing):
                self.entries[place] = entry
                return
        self.entries.insert(0, entry)
        del self.entries[LIMIT:]

    def empty(self) -> None:
        """Take everything down."""
        self.entries.clear()


def show(gallery: Gallery) -> None:
    """The gallery with the button that empties it; nothing at all while it is empty."""
    if not gallery.entries:
        return
    with st.container(key="gallery"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Gallery", anchor=False, width="content")
            st.button("Empty the gallery", key="empty", type="tertiary", icon=":material/delete:", on_click=gallery.empty)
        st.html(f'<div class="cards">{"".join(card(entry) for entry in gallery.entries)}</div>')


def card(entry: Entry) -> str:
    """One picture, its label and its top 3."""
    answer = entry.answer
    picture = markup.image(entry.thumbnail, alt=f"Taken for {answer.label}") if entry.thumbnail else ""
    doubt = '<span class="card-doubt">not recognised</span>' if answer.rejected else ""
    return (
        f'<figure class="card" data-label="{markup.text(answer.label)}">'
        f'<div class="frame">{picture}</div>'
        f'<figcaption><span class="card-label">{markup.text(answer.label)}</span>{doubt}{markup.top(answer.top)}</figcaption>'
        "</figure>"
    )

"""Earlier drawings and what they were taken for."""

from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from ui import markup
from ui.answers import Classification

LIMIT: Final = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One drawing with the latest answer to it."""

    drawing: int
    png: bytes
    answer: Classification


@dataclass(slots=True)
class Gallery:
    """The latest `LIMIT` drawings, newest first. A drawing has one entry, however many strokes and answers it took."""

    entries: list[Entry] = field(default_factory=list)

    def record(self, drawing: int, png: bytes, answer: Classification) -> None:
        """Enter the drawing, or renew its entry where it hangs. The same picture drawn back by undo and redo counts as one."""
        entry = Entry(drawing, png, answer)
        for place, known in enumerate(self.entries):
            if known.drawing == drawing or known.png == png:
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
    """One drawing, its label and its top 3."""
    answer = entry.answer
    doubt = '<span class="card-doubt">not recognised</span>' if answer.rejected else ""
    return (
        f'<figure class="card" data-label="{markup.text(answer.label)}">'
        f"{markup.image(entry.png, alt=f'Drawing taken for {answer.label}')}"
        f'<figcaption><span class="card-label">{markup.text(answer.label)}</span>{doubt}{markup.top(answer.top)}</figcaption>'
        "</figure>"
    )

"""The gallery: what was drawn and sent in this visit and, where the visitor wants that, what the service keeps."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from secrets import token_hex
from time import monotonic
from typing import Final

import streamlit as st

from ui import cards, choices, shelf
from ui.answers import Catalogue, Classification
from ui.client import Client, Problem, Unavailable
from ui.kept import PATIENCE, Kept
from ui.language import say

LIMIT: Final = 24
# Pictures of this visit are held as they were sent, so that they can still be kept; the oldest of more bytes than these cannot.
HELD_BYTES: Final = 32 * 2**20
# More pictures than these are kept with a progress bar.
FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture with the latest answer to it: the number of the drawing where it is one, its hash, and what to show of it.

    `picture` are its bytes while they are held. `wanted` says that the service is to keep it, `refused` why it would not.
    """

    drawing: int | None
    digest: str
    thumbnail: bytes | None
    answer: Classification
    picture: bytes | None = None
    device: str = "auto"
    wanted: bool = False
    refused: str = ""

    @property
    def name(self) -> str:
        """One name for a drawing whatever its strokes, and one for a file by what is in it."""
        return self.digest[:32] if self.drawing is None else f"drawing-{self.drawing}"


@dataclass(slots=True)
class Gallery:
    """The latest `LIMIT` pictures of this visit that the service does not keep, newest first, and those that it keeps.

    A drawing has one entry, however many strokes and answers it took. While `keeping`, every new answer's picture is for the
    service; it stays here until the service has it.
    """

    entries: list[Entry] = field(default_factory=list)
    keeping: bool = False
    kept: Kept = field(default_factory=Kept)
    failure: Unavailable | Problem | None = None
    _recorded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _visit: str = field(default_factory=partial(token_hex, 8))
    _not_before: float = 0.0

    def record(
        self, drawing: int | None, picture: bytes, thumbnail: bytes | None, answer: Classification, device: str = "auto"
    ) -> None:
        """Enter the picture, or renew its entry where it hangs. The same picture drawn back or sent again counts as one.

        What was recorded before is left as it is: an entry taken down or kept does not come back with a rerun of the page.
        """
        entry = Entry(drawing, sha256(picture).hexdigest(), thumbnail, answer, picture, device, self.keeping)
        recorded = entry.digest, answer.model, answer.version, device
        if self._recorded.get(entry.name) == recorded:
            return
        self._recorded[entry.name] = recorded
        for place, known in enumerate(self.entries):
            if entry.digest == known.digest or entry.name == known.name:
                self.entries[place] = entry
                break
        else:
            self.entries.insert(0, entry)
        self._make_room()

    def empty(self) -> None:
        """Take down everything of this visit."""
        self.entries.clear()

    def keep_from_now_on(self, keeping: bool) -> None:
        """Whether the pictures to come are for the service. What waits for it no longer does when they are not."""
        self.keeping = keeping
        if not keeping:
            self.entries = [replace(entry, wanted=False) for entry in self.entries]

    def want(self, digest: str) -> None:
        """Have the service keep one picture of this visit."""
        self.entries = [replace(e, wanted=True, refused="") if e.digest == digest else e for e in self.entries]
        self._not_before = 0.0

    def waiting(self) -> list[Entry]:
        """What the service is to keep and has not yet, oldest first."""
        return [entry for entry in reversed(self.entries) if entry.wanted]

    @property
    def unanswered(self) -> bool:
        """Whether something waits for a service that does not answer."""
        return bool(self.waiting()) or isinstance(self.kept.failure, Unavailable)

    def send(self, client: Client, progress: Callable[[int, int], None] = lambda _done, _all: None) -> None:
        """Give the service what waits for it. What it refuses hangs here with the reason; what it does not answer waits on."""
        if monotonic() < self._not_before:
            return
        waiting = self.waiting()
        for done, entry in enumerate(waiting):
            progress(done, len(waiting))
            try:
                self._keep(client, entry)
            except (Unavailable, Problem) as failure:
                self.failure, self._not_before = failure, monotonic() + PATIENCE
                return
            self.failure = None

    def _keep(self, client: Client, entry: Entry) -> None:
        key = f"{self._visit}-{entry.name}"
        try:
            client.keep(entry.picture or b"", model=entry.answer.model, device=entry.device, key=key)
        except Problem as failure:
            if failure.passing:
                raise
            self.entries[self.entries.index(entry)] = replace(entry, wanted=False, refused=failure.detail or failure.title)
            return
        self.entries.remove(entry)
        self.kept.look_again(self.kept.model)

    def _make_room(self) -> None:
        self.entries = [entry for place, entry in enumerate(self.entries) if place < LIMIT or entry.wanted]
        held = 0
        for place, entry in enumerate(self.entries):
            held += len(entry.picture or b"")
            if held > HELD_BYTES and not entry.wanted:
                self.entries[place] = replace(entry, picture=None)


def show(gallery: Gallery, client: Client, catalogue: Catalogue | None) -> None:
    """The gallery, at the bottom of the page: sends what waits to be kept, then shows what hangs and what can be done with it.

    Where the `catalogue` tells of no gallery, pictures stay in this visit.
    """
    _part(gallery, client if catalogue and catalogue.gallery else None, catalogue)


# What is done here runs this part of the page alone.
@st.fragment
def _part(gallery: Gallery, client: Client | None, catalogue: Catalogue | None) -> None:
    if client is None and not gallery.entries:
        return
    with st.container(key="gallery"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(say("gallery.title"), anchor=False, width="content")
            if client is not None:
                _switch(gallery)
        if client is not None:
            st.html(cards.remark(say("gallery.promise")))
            _send(gallery, client)
        elif catalogue is not None:
            st.html(cards.remark(say("gallery.none")))
        if gallery.entries:
            _visit(gallery, client)
        if client is not None and catalogue is not None:
            gallery.kept.refresh(client)
            shelf.show(gallery.kept, client, catalogue)
            if gallery.unanswered:
                _try_again(monotonic() + PATIENCE / 2)


@st.fragment(run_every=PATIENCE)
def _try_again(after: float) -> None:
    """Run the page again by itself, some time after it was shown, because the service did not answer."""
    if monotonic() > after:
        st.rerun()


def _switch(gallery: Gallery) -> None:
    choices.hold("keep", gallery.keeping)
    st.toggle(say("gallery.keep"), key="keep", on_change=lambda: gallery.keep_from_now_on(st.session_state["keep"]))


def _send(gallery: Gallery, client: Client) -> None:
    place = st.empty()

    def progress(done: int, total: int) -> None:
        if total > FEW:
            place.progress(done / total, say("gallery.sending", done=done, total=total))

    gallery.send(client, progress)
    place.empty()
    if gallery.waiting() and gallery.failure:
        place.html(cards.remark(say("gallery.waiting", count=len(gallery.waiting()))))


def _visit(gallery: Gallery, client: Client | None) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.html(cards.title(say("gallery.visit"), say("gallery.visit_only")), width="content")
        st.button(say("gallery.clear"), key="empty", type="tertiary", icon=":material/delete:", on_click=gallery.empty)
    with st.container(key="visit"):
        for entry in gallery.entries:
            with st.container(key=f"tile-{entry.digest[:16]}"):
                st.html(cards.fresh(entry.answer, entry.thumbnail, entry.refused))
                if client is not None and entry.picture is not None and not entry.wanted:
                    st.button(
                        say("gallery.keep_this"),
                        key=f"keep-{entry.digest[:16]}",
                        type="tertiary",
                        icon=":material/bookmark_add:",
                        on_click=gallery.want,
                        args=[entry.digest],
                    )

"""What one visitor's page remembers between reruns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from ui.answers import Catalogue, Classification, Explanation
from ui.canvas import Drawing
from ui.client import Client, Problem, Unavailable
from ui.gallery import Gallery
from ui.pictures import preview

_KEY: Final = "desk"


@dataclass(frozen=True, slots=True)
class Question:
    """One picture for one model on one device; `drawing` is the number of the drawing, where it is one."""

    picture: bytes
    model: str
    device: str
    drawing: int | None = field(default=None, compare=False)


@dataclass(slots=True)
class Desk:
    """The visitor's pictures and the answers to them.

    `sheet` numbers the canvases: a new number is an empty one. `drawing` numbers the drawings: wiping the canvas with its own
    toolbar begins another drawing on the same sheet. `source` is where the visitor last chose to take pictures from.
    """

    sheet: int = 0
    drawing: int = 0
    source: str | None = None
    gallery: Gallery = field(default_factory=Gallery)
    _inked: bool = False
    _catalogue: Catalogue | None = None
    _stale: bool = True
    _classified: tuple[Question, Classification] | None = None
    _explained: tuple[Question, Explanation] | None = None
    _previewed: tuple[bytes, bytes | None] | None = None

    @classmethod
    def current(cls) -> "Desk":
        """The desk of the visitor this run is for."""
        desk = st.session_state.get(_KEY)
        if not isinstance(desk, cls):
            desk = st.session_state[_KEY] = cls()
        return desk

    def new_sheet(self) -> None:
        """Put an empty canvas on the desk."""
        self.sheet += 1
        self._next_drawing()

    def see(self, drawing: Drawing) -> None:
        """Notice that the canvas was wiped, so that what comes next is another drawing."""
        if drawing.png is None and self._inked:
            self._next_drawing()
        self._inked = drawing.png is not None

    def refresh(self, client: Client) -> None:
        """Ask for the catalogue unless the one known is fresh: the service may come back with other models."""
        if self._stale:
            self._catalogue = client.catalogue()
            self._stale = False

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue as last heard of."""
        return self._catalogue

    def classify(self, client: Client, question: Question) -> Classification:
        """The answer, asked for once: a rerun for another reason costs the service nothing. It enters the gallery."""
        if self._classified is None or self._classified[0] != question:
            with self._doubt():
                answer = client.classify(question.picture, model=question.model, device=question.device)
            self._classified = question, answer
            self.gallery.record(question.drawing, question.picture, self.thumbnail(question), answer)
        return self._classified[1]

    def explain(self, client: Client, question: Question) -> Explanation:
        """How the answer came about, asked for once."""
        if self._explained is None or self._explained[0] != question:
            with self._doubt():
                answer = client.explain(question.picture, model=question.model, device=question.device)
            self._explained = question, answer
        return self._explained[1]

    def preview(self, picture: bytes) -> bytes | None:
        """The picture small and upright, or None; made once, not at every rerun."""
        if self._previewed is None or self._previewed[0] != picture:
            self._previewed = picture, preview(picture)
        return self._previewed[1]

    def thumbnail(self, question: Question) -> bytes | None:
        """What hangs in the gallery: a drawing as it is, which is small, and a preview of anything else."""
        return question.picture if question.drawing is not None else self.preview(question.picture)

    @contextmanager
    def _doubt(self) -> Iterator[None]:
        try:
            yield
        except (Unavailable, Problem):
            self._stale = True
            raise

    def _next_drawing(self) -> None:
        self.drawing += 1
        self._inked = False

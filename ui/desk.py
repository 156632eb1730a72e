"""What one visitor's page remembers between reruns."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui.answers import Catalogue, Classification, Explanation, Limits
from ui.canvas import Drawing, Start, Stroke, begins, recoloured, same
from ui.client import Client, Problem, Unavailable
from ui.files import File
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

    `start` is what the page itself put on the sheet. `drawing` numbers the drawings: an empty sheet begins another. `source` is
    where the visitor last chose to take pictures from. `failure` is why the catalogue could not be had in this run of the page.
    """

    start: Start = field(default_factory=Start)
    drawing: int = 0
    source: str | None = None
    gallery: Gallery = field(default_factory=Gallery)
    failure: Unavailable | Problem | None = None
    _strokes: tuple[Stroke, ...] = ()
    _replaced: list[tuple[Stroke, ...]] = field(default_factory=list)
    _catalogue: Catalogue | None = None
    _stale: bool = True
    _answers: dict[Question, Classification] = field(default_factory=dict)
    _explained: tuple[Question, Explanation] | None = None
    _previewed: tuple[bytes, bytes | None] | None = None
    _received: dict[tuple[str, Limits], File] = field(default_factory=dict)

    @classmethod
    def current(cls) -> "Desk":
        """The desk of the visitor this run is for."""
        desk = st.session_state.get(_KEY)
        if not isinstance(desk, cls):
            desk = st.session_state[_KEY] = cls()
        return desk

    def see(self, drawing: Drawing) -> bytes | None:
        """The picture on the sheet, or None while nothing is drawn.

        The canvas needs a moment to put on the sheet what the page wants there. What it tells until then is old.
        """
        if not any(begins(drawing.strokes, old) for old in self._replaced):
            self._replaced.clear()
            self._lay(drawing.strokes)
        return drawing.png if self._strokes else None

    @property
    def inked(self) -> bool:
        """Whether anything is drawn."""
        return bool(self._strokes)

    def clear(self) -> None:
        """Empty the sheet."""
        self._put(())

    def undo(self) -> None:
        """Take the last stroke back."""
        self._put(self._strokes[:-1])

    def recolour(self, ink: str) -> None:
        """Draw what is on the sheet in another ink, so that it stays to be seen on any paper."""
        self._put(recoloured(self._strokes, ink))

    def refresh(self, client: Client) -> None:
        """Ask for the catalogue unless the one known is fresh: the service may come back with other models."""
        self.failure = None
        if not self._stale:
            return
        try:
            self._catalogue = client.catalogue()
            self._stale = False
        except (Unavailable, Problem) as failure:
            self.failure = failure

    def take_failure(self) -> Unavailable | Problem | None:
        """Why there is no catalogue, once: it says nothing of a later run."""
        failure, self.failure = self.failure, None
        return failure

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue as last heard of."""
        return self._catalogue

    @property
    def stale(self) -> bool:
        """Whether the catalogue should be asked for again."""
        return self._stale

    def classify(self, client: Client, question: Question) -> Classification:
        """The answer, asked for once: a rerun for another reason costs the service nothing."""
        if question not in self._answers:
            with self._doubt():
                answer = client.classify(question.picture, model=question.model, device=question.device)
            self._answers = {known: each for known, each in self._answers.items() if known.picture == question.picture}
            self._answers[question] = answer
            # Models are exchanged while the service runs: what the page says of them is of another version then.
            self._stale = self._stale or (self._catalogue is not None and not self._catalogue.knows(answer))
        return self._answers[question]

    def explain(self, client: Client, question: Question) -> Explanation:
        """How the answer came about, asked for once."""
        if self._explained is None or self._explained[0] != question:
            with self._doubt():
                answer = client.explain(question.picture, model=question.model, device=question.device)
            self._explained = question, answer
        return self._explained[1]

    def forget(self) -> None:
        """Ask again what has been answered already."""
        self._answers.clear()
        self._explained = None

    def record(self, question: Question, answer: Classification) -> None:
        """Hang the picture in the gallery: a drawing as it is, which is small, and a preview of anything else."""
        thumbnail = question.picture if question.drawing is not None else self.preview(question.picture)
        self.gallery.record(question.drawing, question.picture, thumbnail, answer, question.device)

    def preview(self, picture: bytes) -> bytes | None:
        """The picture small and upright, or None; made once, not at every rerun."""
        if self._previewed is None or self._previewed[0] != picture:
            self._previewed = picture, preview(picture)
        return self._previewed[1]

    def receive(self, sent: Sequence[UploadedFile], limits: Limits) -> list[File]:
        """The files that were sent, within the limits; made so once, not at every stroke on the sheet beside them."""
        known = self._received
        self._received = {}
        for each in sent:
            key = each.file_id, limits
            self._received[key] = known[key] if key in known else File.within(limits, each.name, each.getvalue())
        return list(self._received.values())

    @contextmanager
    def _doubt(self) -> Iterator[None]:
        try:
            yield
        except (Unavailable, Problem):
            self._stale = True
            raise

    def _put(self, strokes: tuple[Stroke, ...]) -> None:
        self._replaced = [old for old in (*self._replaced, self._strokes) if not same(old, strokes)]
        self.start = Start(strokes, self.start.edition + 1)
        self._lay(strokes)

    def _lay(self, strokes: tuple[Stroke, ...]) -> None:
        if self._strokes and not strokes:
            self.drawing += 1
        self._strokes = strokes

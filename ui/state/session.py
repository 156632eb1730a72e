"""The state of one visitor's session: drawing, model catalogue, answers and gallery."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Explanation, ModelCatalogue, ServiceLimits
from ui.images.resize import preview
from ui.state.drawing import CanvasContent, Drawing, Stroke, recolour, same_strokes, starts_with
from ui.state.files import PictureFile
from ui.state.session_gallery import SessionGallery

# Where a picture can come from.
DRAW: Final = "draw"
UPLOAD: Final = "upload"
CAMERA: Final = "camera"
_SESSION_KEY: Final = "session"


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """One picture for one model on one device; `drawing_number` is set for a drawing."""

    picture: bytes
    model: str
    device: str
    drawing_number: int | None = field(default=None, compare=False)


@dataclass(slots=True)
class Session:
    """The visitor's pictures and the answers to them.

    `canvas_content` is what the page itself put on the canvas. `drawing_number` counts the drawings: emptying the canvas begins
    a new one. `source` is the picture source that the visitor chose last. `failure` is why the catalogue could not be requested
    in this run.
    """

    canvas_content: CanvasContent = field(default_factory=CanvasContent)
    drawing_number: int = 0
    source: str | None = None
    gallery: SessionGallery = field(default_factory=SessionGallery)
    failure: ServiceUnavailable | ServiceError | None = None
    _strokes: tuple[Stroke, ...] = ()
    _replaced: list[tuple[Stroke, ...]] = field(default_factory=list)
    _catalogue: ModelCatalogue | None = None
    _catalogue_stale: bool = True
    _classifications: dict[ClassifyRequest, Classification] = field(default_factory=dict)
    _explanation: tuple[ClassifyRequest, Explanation] | None = None
    _preview: tuple[bytes, bytes | None] | None = None
    _received: dict[tuple[str, ServiceLimits], PictureFile] = field(default_factory=dict)

    @classmethod
    def current(cls) -> "Session":
        """Return the session of the visitor for whom the page runs; create it on the first run."""
        session = st.session_state.get(_SESSION_KEY)
        if not isinstance(session, cls):
            session = st.session_state[_SESSION_KEY] = cls()
        return session

    def update_drawing(self, drawing: Drawing) -> bytes | None:
        """Take over what the canvas reports; return the picture, or None while nothing is drawn.

        After the page has replaced the content, the canvas reports the old content for a moment; that is ignored.
        """
        if not any(starts_with(drawing.strokes, old) for old in self._replaced):
            self._replaced.clear()
            self._store_strokes(drawing.strokes)
        return drawing.png if self._strokes else None

    @property
    def has_strokes(self) -> bool:
        """Whether anything is drawn."""
        return bool(self._strokes)

    def clear(self) -> None:
        """Remove all strokes from the canvas."""
        self._replace_strokes(())

    def undo(self) -> None:
        """Remove the last stroke."""
        self._replace_strokes(self._strokes[:-1])

    def recolour(self, ink: str) -> None:
        """Change the colour of all strokes, so that they stay visible on any background."""
        self._replace_strokes(recolour(self._strokes, ink))

    def refresh_catalogue(self, client: Client) -> None:
        """Request the model catalogue if it is stale; after a failure the service may have other models."""
        self.failure = None
        if not self._catalogue_stale:
            return
        try:
            self._catalogue = client.list_models()
            self._catalogue_stale = False
        except (ServiceUnavailable, ServiceError) as failure:
            self.failure = failure

    def pop_failure(self) -> ServiceUnavailable | ServiceError | None:
        """Return why the catalogue could not be requested, once: a later run must not show it again."""
        failure, self.failure = self.failure, None
        return failure

    @property
    def catalogue(self) -> ModelCatalogue | None:
        """The catalogue of the last successful request."""
        return self._catalogue

    @property
    def catalogue_stale(self) -> bool:
        """Whether the catalogue should be requested again."""
        return self._catalogue_stale

    def classify(self, client: Client, request: ClassifyRequest) -> Classification:
        """Return the classification; the service is asked only once for the same request.

        Raises:
            ServiceUnavailable, ServiceError: the request failed.
        """
        if request not in self._classifications:
            with self._mark_stale_on_failure():
                answer = client.classify(request.picture, model=request.model, device=request.device)
            answer.multi_label = self._catalogue is not None and self._catalogue.is_multi_label(request.model)
            known = self._classifications.items()
            self._classifications = {other: each for other, each in known if other.picture == request.picture}
            self._classifications[request] = answer
            # Models are replaced while the service runs. An answer of another version means that the catalogue is old.
            outdated = self._catalogue is not None and not self._catalogue.has_version_of(answer)
            self._catalogue_stale = self._catalogue_stale or outdated
        return self._classifications[request]

    def explain(self, client: Client, request: ClassifyRequest) -> Explanation:
        """Return the explanation; the service is asked only once for the same request.

        Raises:
            ServiceUnavailable, ServiceError: the request failed.
        """
        if self._explanation is None or self._explanation[0] != request:
            with self._mark_stale_on_failure():
                answer = client.explain(request.picture, model=request.model, device=request.device)
            self._explanation = request, answer
        return self._explanation[1]

    def clear_answers(self) -> None:
        """Discard all answers, so that the next run requests them again."""
        self._classifications.clear()
        self._explanation = None

    def add_to_gallery(self, request: ClassifyRequest, classification: Classification) -> None:
        """Add the picture to the gallery: a drawing as it is, because it is small, and a preview of any other picture."""
        thumbnail = request.picture if request.drawing_number is not None else self.preview(request.picture)
        self.gallery.add(request.drawing_number, request.picture, thumbnail, classification, request.device)

    def preview(self, picture: bytes) -> bytes | None:
        """Return a preview of the picture, or None; it is made once, not on every rerun."""
        if self._preview is None or self._preview[0] != picture:
            self._preview = picture, preview(picture)
        return self._preview[1]

    def receive_files(self, uploads: Sequence[UploadedFile], limits: ServiceLimits) -> list[PictureFile]:
        """Return the uploaded files, shrunk to the limits where needed; this is done once, not on every rerun."""
        known = self._received
        self._received = {}
        for each in uploads:
            key = each.file_id, limits
            file = known[key] if key in known else PictureFile.within_limits(limits, each.name, each.getvalue())
            self._received[key] = file
        return list(self._received.values())

    @contextmanager
    def _mark_stale_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (ServiceUnavailable, ServiceError):
            self._catalogue_stale = True
            raise

    def _replace_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        self._replaced = [old for old in (*self._replaced, self._strokes) if not same_strokes(old, strokes)]
        self.canvas_content = CanvasContent(strokes, self.canvas_content.revision + 1)
        self._store_strokes(strokes)

    def _store_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        if self._strokes and not strokes:
            self.drawing_number += 1
        self._strokes = strokes

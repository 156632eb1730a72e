"""The state of one visitor's session: drawing, model catalogue, answers and gallery."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import AnnotatedImage, Classification, Explanation, Model, ModelCatalogue, ServiceLimits
from ui.images.polyline import SQUARE_SHEET, Size
from ui.images.resize import preview
from ui.state.drawing import CanvasContent, Drawing, Stroke
from ui.state.files import PictureFile
from ui.state.live_answers import LiveAnswers
from ui.state.session_gallery import SessionGallery

# Where a picture can come from.
DRAW: Final = "draw"
UPLOAD: Final = "upload"
CAMERA: Final = "camera"
_SESSION_KEY: Final = "session"


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """One picture for one model on one device; `drawing_number` is set for a drawing, `live` while a stroke is being drawn."""

    picture: bytes
    model: str
    device: str
    drawing_number: int | None = field(default=None, compare=False)
    live: bool = False


@dataclass(slots=True)
class Session:
    """The visitor's pictures and the answers to them.

    `canvas_content` is what the page itself put on the canvas, and `drawing` is what the canvas reported last. `source` is the
    picture source that was chosen last. `opened` is a picture that was opened from the page itself, such as a sample.
    `uploader_number` counts how often the uploaded files were removed. `failure` is why the catalogue could not be requested in
    this run. `unavailable` tells whether the service did not answer a request of this run.
    """

    canvas_content: CanvasContent = field(default_factory=CanvasContent)
    drawing: Drawing = field(default_factory=Drawing)
    source: str | None = None
    opened: PictureFile | None = None
    gallery: SessionGallery = field(default_factory=SessionGallery)
    uploader_number: int = 0
    live: LiveAnswers = field(default_factory=LiveAnswers)
    failure: ServiceUnavailable | ServiceError | None = None
    unavailable: bool = False
    _catalogue: ModelCatalogue | None = None
    _catalogue_stale: bool = True
    _classifications: dict[ClassifyRequest, Classification] = field(default_factory=dict)
    _explanation: tuple[ClassifyRequest, int | None, Explanation] | None = None
    _selected_character: tuple[str, int] | None = None
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

        After the page has put strokes on the canvas, a report of what was there before is ignored.
        """
        if self.canvas_content.revision in ("", drawing.revision):
            self.drawing = drawing
        return self.drawing.png

    @property
    def has_strokes(self) -> bool:
        """Whether anything is drawn."""
        return bool(self.drawing.strokes)

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes of the drawing, oldest first."""
        return self.drawing.strokes

    @property
    def drawing_number(self) -> int:
        """The number of the drawing: the first stroke on an empty canvas, and what the page puts on it, begin a new one."""
        return self.drawing.number

    def load_strokes(self, strokes: Sequence[Stroke], size: Size | None = None) -> None:
        """Replace the drawing by these strokes, drawn on a sheet of this size; the visitor can undo that.

        The canvas reports their picture in a later run.
        """
        self.canvas_content = CanvasContent(tuple(strokes), token_hex(4), size)
        if not strokes:
            self.drawing = Drawing(number=self.drawing.number)

    def clear(self) -> None:
        """Remove all strokes from the canvas."""
        self.load_strokes(())

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
        """Return why the catalogue could not be requested, once: a later run must not show it again. A run begins with this."""
        failure, self.failure = self.failure, None
        self.unavailable = isinstance(failure, ServiceUnavailable)
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
        """Return the classification; the service is asked only once for the same request, and not for a live one.

        Raises:
            ServiceUnavailable, ServiceError: the request failed.
        """
        if request.live:
            return self.live.answers[request.model]
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

    def cached_answer(self, request: ClassifyRequest) -> Classification | None:
        """Return the answer to a request that was classified before, or None."""
        return self._classifications.get(request)

    def answer_live(self, client: Client, picture: bytes, models: Sequence[tuple[Model, str]]) -> bool:
        """Ask models, with their devices, about a stroke that is being drawn; return whether `live` has all their answers."""
        names, sequence = [(model.name, device) for model, device in models], models[0][0].card.is_sequence
        if not self.live.request(client, picture, names, sequence=sequence):
            return False
        for model, _ in models:
            self.live.answers[model.name].multi_label = model.card.output.multi_label
        return True

    def find_model_input(self, client: Client, request: ClassifyRequest) -> AnnotatedImage | None:
        """Return what the model sees of a picture, or None if the service does not say."""
        return self.live.find_input(client, request.picture, request.model, request.device)

    def explain(self, client: Client, request: ClassifyRequest, character: int | None = None) -> Explanation:
        """Return the explanation of an answer, or of the character with this number (from 0) of a sequence.

        The service is asked only once for the same request.

        Raises:
            ServiceUnavailable, ServiceError: the request failed.
        """
        if self._explanation is None or self._explanation[:2] != (request, character):
            with self._mark_stale_on_failure():
                answer = client.explain(request.picture, model=request.model, device=request.device, character=character)
            self._explanation = request, character, answer
        return self._explanation[2]

    def select_character(self, text: str, number: int | None) -> None:
        """Select the character with this number (from 0) of the text that was read, or none.

        It stays selected while the text does: a resized sheet is another picture, with the same drawing.
        """
        self._selected_character = None if number is None else (text, number)

    def selected_character(self, classification: Classification) -> int | None:
        """Return the number of the selected character; None where none is, or the answer has no such character."""
        if self._selected_character is None or self._selected_character[0] != classification.label:
            return None
        number = self._selected_character[1]
        return number if number < len(classification.characters or []) else None

    def clear_answers(self) -> None:
        """Discard all answers, so that the next run requests them again."""
        self._classifications.clear()
        self._explanation = None

    def add_to_gallery(self, request: ClassifyRequest, classification: Classification) -> None:
        """Add the picture to the gallery: a drawing as it is, because it is small, and a preview of any other picture."""
        drawn = request.drawing_number is not None
        thumbnail = request.picture if drawn else self.preview(request.picture)
        strokes, size = (self.strokes, self.drawing.size) if drawn else ((), SQUARE_SHEET)
        self.gallery.add(request.drawing_number, request.picture, thumbnail, classification, request.device, strokes, size)

    def open_drawing(self, strokes: tuple[Stroke, ...], size: Size | None = None) -> None:
        """Put strokes on the canvas as a new drawing; what was on it stays in the gallery."""
        self.choose_source(DRAW)
        self.load_strokes(strokes, size)

    def open_picture(self, name: str, data: bytes) -> None:
        """Classify a picture of the page, such as one of the gallery, instead of the uploaded files."""
        self.choose_source(UPLOAD)
        self.remove_files()
        self.opened = PictureFile.from_bytes(name, data)

    def choose_source(self, source: str) -> None:
        """Switch to another source of pictures."""
        self.source = source

    def remove_files(self) -> None:
        """Remove all uploaded files and the opened picture. The uploader begins anew as another widget, which has no files."""
        self.opened = None
        self.uploader_number += bool(self._received)
        context = get_script_run_ctx()
        for file_id, _ in self._received:
            # Streamlit would keep the content in memory as long as the session lives.
            if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
                context.uploaded_file_mgr.remove_file(context.session_id, file_id)
        self._received = {}

    def preview(self, picture: bytes) -> bytes | None:
        """Return a preview of the picture, or None; it is made once, not on every rerun."""
        if self._preview is None or self._preview[0] != picture:
            self._preview = picture, preview(picture)
        return self._preview[1]

    def receive_files(self, uploads: Sequence[UploadedFile], limits: ServiceLimits) -> list[PictureFile]:
        """Return the uploaded files, shrunk to the limits where needed, or the opened picture if there are none.

        A file is read once, not on every rerun. The first uploaded file takes the place of the opened picture.
        """
        if not uploads and self.opened:
            return [self.opened]
        self.opened = None
        known = self._received
        self._received = {}
        for each in uploads:
            key = each.file_id, limits
            file = known[key] if key in known else PictureFile.from_upload(limits, each)
            self._received[key] = file
        return list(self._received.values())

    @contextmanager
    def _mark_stale_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (ServiceUnavailable, ServiceError) as failure:
            self._catalogue_stale = True
            self.unavailable = self.unavailable or isinstance(failure, ServiceUnavailable)
            raise

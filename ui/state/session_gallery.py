"""The pictures of this session that are not saved in the service's gallery, and the queue of those that will be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from hashlib import sha256
from itertools import count
from secrets import token_hex
from time import monotonic
from typing import Any, Final

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.gallery_schemas import SavedPicture
from ui.api.schemas import Classification
from ui.images.polyline import SQUARE_SHEET, Size
from ui.state.deletions import RETRY_SECONDS, UNDO_SECONDS, deletions_of
from ui.state.drawing import Stroke
from ui.state.saved_gallery import SavedGallery

MAX_PICTURES: Final = 24
# Pictures are held as they were sent, so that they can still be saved. Beyond this total the oldest are dropped.
MAX_HELD_BYTES: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Correction:
    """The right label of a picture, or None where the visitor took it back; `keep` if the picture shall be saved with it."""

    label: str | None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class SessionPicture:
    """One picture with the latest answer to it, its SHA-256, and its thumbnail.

    A drawing has a `drawing_number` and strokes, drawn on a sheet of `size`.

    `number` is unique among the pictures of a session; a picture keeps it when its answer or its strokes change. `created` is
    when it was answered. `picture` is the encoded image while it is held. `save_requested` if the service shall save it;
    `refusal` is why the service refused to. `corrected` is the right label if the visitor said that the answer is wrong.
    """

    number: int
    drawing_number: int | None
    digest: str
    thumbnail: bytes | None
    classification: Classification
    created: datetime
    picture: bytes | None = None
    strokes: tuple[Stroke, ...] = field(default=(), repr=False)
    device: str = "auto"
    save_requested: bool = False
    refusal: str = ""
    corrected: str | None = None
    size: Size = SQUARE_SHEET

    @property
    def key(self) -> str:
        """Identifies a drawing whatever its strokes, and a file by its content."""
        return self.digest[:32] if self.drawing_number is None else f"drawing-{self.drawing_number}"

    def is_same(self, other: "SessionPicture") -> bool:
        """Whether both are the same drawing, or have the same content or the same strokes.

        A drawing that was put on the canvas again is painted anew, so that its pixels may differ a little.
        """
        same_strokes = bool(self.strokes) and list(map(_shape, self.strokes)) == list(map(_shape, other.strokes))
        return self.key == other.key or self.digest == other.digest or same_strokes


def _shape(stroke: Stroke) -> tuple[Any, Any, bool]:
    """Return what a stroke looks like whatever its colour."""
    return stroke.get("path"), stroke.get("strokeWidth"), bool(stroke.get("eraser"))


@dataclass(slots=True)
class SessionGallery:
    """The latest `MAX_PICTURES` pictures of this session that are not saved, newest first, and the saved gallery.

    A drawing has one entry, however many strokes and answers it had, and so has a content. While `saving`, each new picture is
    sent to the service; it stays here until the service has it. `removed` are the pictures that `clear` removed last.
    `corrections` are those of the answers, and `saved_ids` the ids of the entries that this session saved, both by the SHA-256
    of the picture and the model.
    """

    entries: list[SessionPicture] = field(default_factory=list)
    saving: bool = False
    saved: SavedGallery = field(default_factory=SavedGallery)
    failure: ServiceUnavailable | ServiceError | None = None
    removed: list[SessionPicture] = field(default_factory=list)
    _removed_at: float = 0.0
    _numbers: Iterator[int] = field(default_factory=count)
    corrections: dict[tuple[str, str], Correction] = field(default_factory=dict)
    saved_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _added: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _session_id: str = field(default_factory=partial(token_hex, 8))
    _not_before: float = 0.0

    def add(
        self,
        drawing_number: int | None,
        picture: bytes,
        thumbnail: bytes | None,
        classification: Classification,
        device: str = "auto",
        strokes: tuple[Stroke, ...] = (),
        size: Size = SQUARE_SHEET,
    ) -> None:
        """Add a picture in place of the entries of the same drawing or of the same content.

        A picture that was added before with the same answer and correction is ignored, so that a rerun does not bring back a
        removed entry.
        """
        digest, now = sha256(picture).hexdigest(), datetime.now(timezone.utc)
        correction = self.corrections.get((digest, classification.model), Correction(None))
        entry = SessionPicture(
            next(self._numbers),
            drawing_number,
            digest,
            thumbnail,
            classification,
            now,
            picture,
            strokes,
            device,
            save_requested=self.saving or correction.keep,
            corrected=correction.label,
            size=size,
        )
        version = entry.digest, classification.model, classification.version, device, correction
        if self._added.get(entry.key) == version:
            return
        self._added[entry.key] = version
        self._insert(entry)
        self._drop_oldest()

    def _insert(self, entry: SessionPicture) -> None:
        """Put an entry in the place of the first that is the same, and remove the others; or else at the beginning."""
        same = [other for other in self.entries if entry.is_same(other)]
        place = self.entries.index(same[0]) if same else 0
        requested = any(other.save_requested for other in same if other.digest == entry.digest)
        if same:
            entry = replace(entry, number=same[0].number, save_requested=entry.save_requested or requested)
        self.entries = [other for other in self.entries if other not in same]
        self.entries.insert(place, entry)

    def clear(self) -> None:
        """Remove all pictures of this session."""
        self.removed, self._removed_at = self.entries, monotonic()
        self.entries = []

    @property
    def can_restore(self) -> bool:
        """Whether `restore` would bring pictures back: for `UNDO_SECONDS` after `clear`."""
        return bool(self.removed) and monotonic() < self._removed_at + UNDO_SECONDS

    def restore(self) -> None:
        """Bring back the pictures that `clear` removed, after those that were added since."""
        if self.can_restore:
            missing = [entry for entry in self.removed if not any(entry.is_same(other) for other in self.entries)]
            self.entries += [replace(entry, save_requested=entry.save_requested and self.saving) for entry in missing]
            self._drop_oldest()
        self.removed = []

    def set_saving(self, saving: bool) -> None:
        """Turn saving on or off for new pictures. Turning it off also cancels what waits to be saved."""
        self.saving = saving
        if not saving:
            self.entries = [replace(entry, save_requested=False) for entry in self.entries]

    def request_save(self, number: int) -> None:
        """Mark one picture to be saved."""
        self.entries = [replace(e, save_requested=True, refusal="") if e.number == number else e for e in self.entries]
        self._not_before = 0.0

    def pending(self) -> list[SessionPicture]:
        """Return the pictures that wait to be saved, oldest first."""
        return [entry for entry in reversed(self.entries) if entry.save_requested]

    @property
    def needs_retry(self) -> bool:
        """Whether a request must be repeated because the service did not answer."""
        return bool(self.pending()) or isinstance(self.saved.failure, ServiceUnavailable)

    def save_pending(self, client: Client, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Send the pending pictures to the service.

        A picture that the service refuses stays here with the reason. When the service does not answer, the rest stays pending.

        Args:
            progress: called with the number of pictures done and the number of pictures in all.
        """
        if monotonic() < self._not_before:
            return
        pending = self.pending()
        for done, entry in enumerate(pending):
            progress(done, len(pending))
            try:
                self._save(client, entry)
            except (ServiceUnavailable, ServiceError) as failure:
                self.failure, self._not_before = failure, monotonic() + RETRY_SECONDS
                return
            self.failure = None

    def _save(self, client: Client, entry: SessionPicture) -> None:
        key = f"{self._session_id}-{entry.key}"
        deletions = deletions_of(client)
        deletions.finish_deleting_all()
        try:
            saved = client.save(entry.picture or b"", model=entry.classification.model, device=entry.device, key=key)
            deletions.keep(saved.id)  # further strokes of a drawing that was saved and deleted
            self.saved_ids[entry.digest, entry.classification.model] = saved.id
            self._save_correction(client, entry, saved)
        except ServiceError as error:
            if error.retryable:
                raise
            refused = replace(entry, save_requested=False, refusal=error.detail or error.title)
            self.entries[self.entries.index(entry)] = refused
            return
        self.entries.remove(entry)
        self.saved.invalidate()

    def _save_correction(self, client: Client, entry: SessionPicture, saved: SavedPicture) -> None:
        """Correct the saved entry as this session did; a correction that was made in the gallery stays."""
        correction = self.corrections.get((entry.digest, entry.classification.model))
        if correction is not None and correction.label != saved.corrected:
            client.correct(saved.id, correction.label)

    def _drop_oldest(self) -> None:
        self.entries = [entry for index, entry in enumerate(self.entries) if index < MAX_PICTURES or entry.save_requested]
        held = 0
        for index, entry in enumerate(self.entries):
            held += len(entry.picture or b"")
            if held > MAX_HELD_BYTES and not entry.save_requested:
                self.entries[index] = replace(entry, picture=None)

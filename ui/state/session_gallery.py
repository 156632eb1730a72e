"""The pictures of this session that are not saved in the service's gallery, and the queue of those that will be."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from secrets import token_hex
from time import monotonic
from typing import Final

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification
from ui.state.saved_gallery import RETRY_SECONDS, SavedGallery

MAX_PICTURES: Final = 24
# Pictures are held as they were sent, so that they can still be saved. Beyond this total the oldest are dropped.
MAX_HELD_BYTES: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class SessionPicture:
    """One picture with the latest answer to it, its SHA-256, and its thumbnail; `drawing_number` is set for a drawing.

    `picture` is the encoded image while it is held. `save_requested` if the service shall save it; `refusal` is why the service
    refused to.
    """

    drawing_number: int | None
    digest: str
    thumbnail: bytes | None
    classification: Classification
    picture: bytes | None = None
    device: str = "auto"
    save_requested: bool = False
    refusal: str = ""

    @property
    def key(self) -> str:
        """Identifies a drawing whatever its strokes, and a file by its content."""
        return self.digest[:32] if self.drawing_number is None else f"drawing-{self.drawing_number}"


@dataclass(slots=True)
class SessionGallery:
    """The latest `MAX_PICTURES` pictures of this session that are not saved, newest first, and the saved gallery.

    A drawing has one entry, however many strokes and answers it had. While `saving`, each new picture is sent to the
    service; it stays here until the service has it.
    """

    entries: list[SessionPicture] = field(default_factory=list)
    saving: bool = False
    saved: SavedGallery = field(default_factory=SavedGallery)
    failure: ServiceUnavailable | ServiceError | None = None
    _added: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _session_id: str = field(default_factory=partial(token_hex, 8))
    _not_before: float = 0.0

    def add(
        self,
        drawing_number: int | None,
        picture: bytes,
        thumbnail: bytes | None,
        classification: Classification,
        device: str = "auto",
    ) -> None:
        """Add a picture, or replace the entry of the same drawing or of the same content.

        A picture that was added before with the same answer is ignored, so that a rerun does not bring back a removed entry.
        """
        digest = sha256(picture).hexdigest()
        entry = SessionPicture(drawing_number, digest, thumbnail, classification, picture, device, self.saving)
        version = entry.digest, classification.model, classification.version, device
        if self._added.get(entry.key) == version:
            return
        self._added[entry.key] = version
        for index, other in enumerate(self.entries):
            if entry.digest == other.digest or entry.key == other.key:
                self.entries[index] = entry
                break
        else:
            self.entries.insert(0, entry)
        self._drop_oldest()

    def clear(self) -> None:
        """Remove all pictures of this session."""
        self.entries.clear()

    def set_saving(self, saving: bool) -> None:
        """Turn saving on or off for new pictures. Turning it off also cancels what waits to be saved."""
        self.saving = saving
        if not saving:
            self.entries = [replace(entry, save_requested=False) for entry in self.entries]

    def request_save(self, digest: str) -> None:
        """Mark one picture to be saved."""
        self.entries = [replace(e, save_requested=True, refusal="") if e.digest == digest else e for e in self.entries]
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
        try:
            client.save(entry.picture or b"", model=entry.classification.model, device=entry.device, key=key)
        except ServiceError as error:
            if error.retryable:
                raise
            refused = replace(entry, save_requested=False, refusal=error.detail or error.title)
            self.entries[self.entries.index(entry)] = refused
            return
        self.entries.remove(entry)
        self.saved.invalidate(self.saved.model)

    def _drop_oldest(self) -> None:
        self.entries = [entry for index, entry in enumerate(self.entries) if index < MAX_PICTURES or entry.save_requested]
        held = 0
        for index, entry in enumerate(self.entries):
            held += len(entry.picture or b"")
            if held > MAX_HELD_BYTES and not entry.save_requested:
                self.entries[index] = replace(entry, picture=None)

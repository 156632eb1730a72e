"""What the visitor says about a wrong answer: the right label, and whether the picture may be saved with it."""

from dataclasses import dataclass
from hashlib import sha256

from ui.api.client import Client
from ui.api.schemas import Classification
from ui.state.session import ClassifyRequest
from ui.state.session_gallery import Correction, SessionGallery, SessionPicture


@dataclass(frozen=True, slots=True)
class AnsweredPicture:
    """A picture with the answer to it, whose correction is part of the session's gallery.

    `digest` is the SHA-256 of the picture. Each change takes effect when the picture is added to the gallery again, in the same
    run of the page.
    """

    gallery: SessionGallery
    digest: str
    model: str

    @classmethod
    def of(cls, gallery: SessionGallery, request: ClassifyRequest, classification: Classification) -> "AnsweredPicture":
        """Return the picture of a request with its answer."""
        return cls(gallery, sha256(request.picture).hexdigest(), classification.model)

    @property
    def correction(self) -> Correction:
        """The correction; without a label while there is none."""
        return self.gallery.corrections.get((self.digest, self.model), Correction(None))

    @property
    def entry(self) -> SessionPicture | None:
        """The entry of the session's gallery; None once it is saved or was removed."""
        return next((entry for entry in self.gallery.entries if entry.digest == self.digest), None)

    def correct(self, label: str) -> None:
        """Set the right label; a picture that was kept before is saved with the new one."""
        self._set(Correction(label, self.correction.keep))

    def keep(self) -> None:
        """Have the picture saved with the right label."""
        self._set(Correction(self.correction.label, keep=True))

    def take_back(self, client: Client) -> None:
        """Remove the correction, and the saved entry if it was saved only because of the correction."""
        saved_for_it = self.correction.keep
        self._set(Correction(None))
        if self.gallery.saving or (saved_id := self.gallery.saved_ids.get((self.digest, self.model))) is None:
            return  # adding the picture again does the rest
        if saved_for_it:
            self.gallery.saved.delete(client, saved_id)
        else:
            self.gallery.saved.correct(client, saved_id, None)

    def _set(self, correction: Correction) -> None:
        self.gallery.corrections[self.digest, self.model] = correction
        self.gallery.entries = [entry for entry in self.gallery.entries if entry.digest != self.digest]

"""Classifies many files in few requests and remembers the results for the session."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError
from ui.api.schemas import Classification, Model, ServiceLimits
from ui.images.media_types import media_type
from ui.images.resize import preview, shrink_to_limits, thumbnail
from ui.state.session_gallery import SessionGallery

_SESSION_KEY: Final = "file-results"
# Small enough that the progress bar moves often.
MAX_FILES_PER_REQUEST: Final = 16
# Bytes of a multipart body around each picture.
MULTIPART_OVERHEAD_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file's name and content with its SHA-256; `shrunk` if the content was made smaller for the service."""

    name: str
    data: bytes = field(repr=False)
    digest: str
    shrunk: bool = False

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> "PictureFile":
        """Create a file with the content unchanged."""
        return cls(name, data, sha256(data).hexdigest())

    @classmethod
    def within_limits(cls, limits: ServiceLimits, name: str, data: bytes) -> "PictureFile":
        """Create a file; a picture that exceeds the limits of the service is shrunk."""
        fit = shrink_to_limits(data, limits.max_image_bytes, limits.max_pixels, limits.max_photo_pixels, limits.max_side)
        return replace(cls.from_bytes(name, fit), shrunk=fit != data)

    @property
    def download_name(self) -> str:
        """The file name for this content. A shrunk picture gets a name that differs from the original file's."""
        if not self.shrunk:
            return self.name
        return f"{Path(self.name).stem}-smaller{media_type(self.data).replace('image/', '.')}"


@dataclass(frozen=True, slots=True)
class FileResult:
    """One row of the results: file name, thumbnail, and the answer, the error, or None while not classified."""

    name: str
    thumbnail: bytes | None
    outcome: Classification | ServiceError | None


@dataclass(frozen=True, slots=True)
class BatchClassifier:
    """Classifies pictures with one model on one device, within the limits of the service."""

    client: Client
    model: Model
    device: str = "auto"
    limits: ServiceLimits = field(default_factory=ServiceLimits)

    def result_key(self, file: PictureFile) -> tuple[str, ...]:
        """Return everything that the result for a file depends on."""
        return file.digest, self.model.name, self.model.version, self.device

    def batches(self, files: Sequence[PictureFile]) -> Iterator[list[PictureFile]]:
        """Split files, in order, into batches that fit into one request. A file that fits into none is a batch of its own."""
        batch: list[PictureFile] = []
        size = 0
        for file in files:
            file_size = len(file.data) + MULTIPART_OVERHEAD_BYTES
            max_files = min(MAX_FILES_PER_REQUEST, self.limits.max_images)
            if batch and (len(batch) >= max_files or size + file_size > self.limits.max_batch_bytes):
                yield batch
                batch, size = [], 0
            batch.append(file)
            size += file_size
        if batch:
            yield batch

    def classify(self, pictures: Sequence[bytes]) -> list[Classification | ServiceError]:
        """Return a classification or an error per picture, in order. A batch that is too large is split in halves.

        Raises:
            ServiceUnavailable, ServiceError: the whole request failed for another reason.
        """
        try:
            outcomes = self.client.classify_batch(pictures, model=self.model.name, device=self.device)
        except ServiceError as error:
            if error.status != 413:
                raise
            if len(pictures) == 1:
                return [error]
            half = len(pictures) // 2
            return self.classify(pictures[:half]) + self.classify(pictures[half:])
        for outcome in outcomes:
            if isinstance(outcome, Classification):
                outcome.multi_label = self.model.card.output.multi_label
        return outcomes


@dataclass(slots=True)
class FileResults:
    """The results for the files on the page: outcomes by result key, thumbnails by digest."""

    outcomes: dict[tuple[str, ...], Classification | ServiceError] = field(default_factory=dict)
    thumbnails: dict[str, bytes | None] = field(default_factory=dict)

    @classmethod
    def current(cls) -> "FileResults":
        """Return the results of the visitor for whom the page runs; create them on the first run."""
        results = st.session_state.get(_SESSION_KEY)
        if not isinstance(results, cls):
            results = st.session_state[_SESSION_KEY] = cls()
        return results

    def discard_except(self, files: Sequence[PictureFile]) -> None:
        """Discard the results for files that are no longer on the page."""
        digests = {file.digest for file in files}
        self.outcomes = {key: outcome for key, outcome in self.outcomes.items() if key[0] in digests}
        self.thumbnails = {digest: picture for digest, picture in self.thumbnails.items() if digest in digests}

    def classify_missing(
        self,
        classifier: BatchClassifier,
        files: Sequence[PictureFile],
        gallery: SessionGallery | None,
        progress: Callable[[int, int], None],
    ) -> None:
        """Classify the files that have no result yet, batch by batch; add them to a gallery that saves.

        Args:
            progress: called with the number of files done and the number of files in all.

        Raises:
            ServiceUnavailable, ServiceError: the service stopped answering; the results until then are stored.
        """
        missing = list({file.digest: file for file in files if classifier.result_key(file) not in self.outcomes}.values())
        done = 0
        for batch in classifier.batches(missing):
            progress(done, len(missing))
            outcomes = classifier.classify([file.data for file in batch])
            for file, outcome in zip(batch, outcomes, strict=True):
                if file.digest not in self.thumbnails:
                    self.thumbnails[file.digest] = thumbnail(file.data)
                if isinstance(outcome, Classification) and gallery is not None and gallery.saving:
                    gallery.add(None, file.data, preview(file.data), outcome, classifier.device)
                if isinstance(outcome, Classification) or not outcome.retryable:
                    self.outcomes[classifier.result_key(file)] = outcome
            for outcome in outcomes:
                if isinstance(outcome, ServiceError) and outcome.retryable:
                    raise outcome
            done += len(batch)

    def rows(self, classifier: BatchClassifier, files: Sequence[PictureFile]) -> list[FileResult]:
        """Return the results for the files, in order."""
        return [
            FileResult(file.name, self.thumbnails.get(file.digest), self.outcomes.get(classifier.result_key(file)))
            for file in files
        ]

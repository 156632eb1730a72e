"""Classifies many files in few requests and remembers the results for the session."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Final, Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui.api.client import Client, ServiceError
from ui.api.schemas import Classification, Model, ServiceLimits
from ui.images.media_types import media_type
from ui.images.resize import preview, shrink_to_limits, thumbnail
from ui.state.session_gallery import SessionGallery

_SESSION_KEY: Final = "file-results"
# The orders in which the results are shown.
AS_SENT: Final = "as_sent"
BY_DOUBT: Final = "by_doubt"
BY_NAME: Final = "by_name"
ORDERS: Final = (BY_DOUBT, AS_SENT, BY_NAME)
# Small enough that the progress bar moves often.
MAX_FILES_PER_REQUEST: Final = 16
# Bytes of a multipart body around each picture.
MULTIPART_OVERHEAD_BYTES: Final = 512
# What the browser sends in place of a file that is too large, with the file's size in bytes.
TOO_LARGE_MEDIA_TYPE: Final = r"application/x-too-large; *size=([0-9]{1,15})"


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """Why the page does not send a file to the service, and the size of the file in bytes."""

    reason: Literal["empty", "too_large"]
    size: int = 0


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file's name and content with its SHA-256; `shrunk` if the content was made smaller for the service.

    A file with a `refusal` has no content and is not sent.
    """

    name: str
    data: bytes = field(repr=False)
    digest: str
    shrunk: bool = False
    refusal: FileRefusal | None = None

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> "PictureFile":
        """Create a file with the content unchanged."""
        return cls(name, data, sha256(data).hexdigest())

    @classmethod
    def within_limits(cls, limits: ServiceLimits, name: str, data: bytes) -> "PictureFile":
        """Create a file; a picture that exceeds the limits of the service is shrunk."""
        fit = shrink_to_limits(data, limits.max_image_bytes, limits.max_pixels, limits.max_photo_pixels, limits.max_side)
        return replace(cls.from_bytes(name, fit), shrunk=fit != data)

    @classmethod
    def from_upload(cls, limits: ServiceLimits, upload: UploadedFile) -> "PictureFile":
        """Create a file from an uploaded one. Of a file that is too large the browser sends only the size (`file_limit.js`)."""
        size = re.fullmatch(TOO_LARGE_MEDIA_TYPE, upload.type)
        if size:
            return replace(cls.from_bytes(upload.name, b""), refusal=FileRefusal("too_large", int(size[1])))
        if not upload.size:
            return replace(cls.from_bytes(upload.name, b""), refusal=FileRefusal("empty"))
        return cls.within_limits(limits, upload.name, upload.getvalue())

    @property
    def download_name(self) -> str:
        """The file name for this content. A shrunk picture gets a name that differs from the original file's."""
        if not self.shrunk:
            return self.name
        return f"{Path(self.name).stem}-smaller{media_type(self.data).replace('image/', '.')}"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """One request to the service: how many pictures it had, and how many seconds it took."""

    pictures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FileResult:
    """One row of the results: file name, thumbnail, and the answer, why there is none, or None while not classified."""

    name: str
    thumbnail: bytes | None
    outcome: Classification | ServiceError | FileRefusal | None


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
    """The results for the files on the page: outcomes and the requests they came with by result key, thumbnails by digest.

    `order` is the one of `ORDERS` that the visitor chose.
    """

    outcomes: dict[tuple[str, ...], Classification | ServiceError] = field(default_factory=dict)
    thumbnails: dict[str, bytes | None] = field(default_factory=dict)
    order: str = BY_DOUBT
    _requests: dict[tuple[str, ...], FileRequest] = field(default_factory=dict)

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
        self._requests = {key: request for key, request in self._requests.items() if key[0] in digests}
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
        unknown = [file for file in files if not file.refusal and classifier.result_key(file) not in self.outcomes]
        missing = list({file.digest: file for file in unknown}.values())
        done = 0
        for batch in classifier.batches(missing):
            progress(done, len(missing))
            start = perf_counter()
            outcomes = classifier.classify([file.data for file in batch])
            request = FileRequest(len(batch), perf_counter() - start)
            for file, outcome in zip(batch, outcomes, strict=True):
                if file.digest not in self.thumbnails:
                    self.thumbnails[file.digest] = thumbnail(file.data)
                if isinstance(outcome, Classification) and gallery is not None and gallery.saving:
                    gallery.add(None, file.data, preview(file.data), outcome, classifier.device)
                if isinstance(outcome, Classification) or not outcome.retryable:
                    self.outcomes[classifier.result_key(file)] = outcome
                    self._requests[classifier.result_key(file)] = request
            for outcome in outcomes:
                if isinstance(outcome, ServiceError) and outcome.retryable:
                    raise outcome
            done += len(batch)

    def rows(self, classifier: BatchClassifier, files: Sequence[PictureFile]) -> list[FileResult]:
        """Return the results for the files, in order."""
        return [
            FileResult(
                file.name,
                self.thumbnails.get(file.digest),
                file.refusal or self.outcomes.get(classifier.result_key(file)),
            )
            for file in files
        ]

    def requests(self, classifier: BatchClassifier, files: Sequence[PictureFile]) -> list[FileRequest]:
        """Return the requests that the results for the files came with."""
        found = [self._requests.get(classifier.result_key(file)) for file in files]
        return list({id(request): request for request in found if request is not None}.values())

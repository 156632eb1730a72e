"""Several files at once: asked for in a few requests, remembered, and listed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import streamlit as st

from ui import faults, markup, table
from ui.answers import Classification, Limits, Model
from ui.client import Client, Problem, Unavailable
from ui.gallery import Gallery
from ui.language import say
from ui.pictures import fitting, media_type, preview

_KEY: Final = "files-read"
# So many are asked for at a time, which is often enough for a bar that moves.
AT_ONCE: Final = 16
# So many files that could not be read are named above the table, which may be long.
NAMED: Final = 5
# Bytes around a picture in a request.
WRAPPING: Final = 512


@dataclass(frozen=True, slots=True)
class File:
    """A file's name and what is in it; `digest` tells contents apart. `smaller` is a picture that had to be made so."""

    name: str
    data: bytes = field(repr=False)
    digest: str
    smaller: bool = False

    @classmethod
    def of(cls, name: str, data: bytes) -> "File":
        """A file as it was sent."""
        return cls(name, data, sha256(data).hexdigest())

    @classmethod
    def within(cls, limits: Limits, name: str, data: bytes) -> "File":
        """A file as it was sent or, where the service would refuse it for its size, a smaller picture."""
        fit = fitting(data, limits.max_image_bytes, limits.max_pixels, limits.max_photo_pixels, limits.max_side)
        return replace(cls.of(name, fit), smaller=fit != data)

    @property
    def saved_as(self) -> str:
        """The name for what is in it: what was made smaller is another file than the one of its name."""
        if not self.smaller:
            return self.name
        return f"{Path(self.name).stem}-smaller{media_type(self.data).replace('image/', '.')}"


@dataclass(frozen=True, slots=True)
class Reader:
    """One model on one device, which reads many pictures within the limits of the service."""

    client: Client
    model: Model
    device: str = "auto"
    limits: Limits = field(default_factory=Limits)

    def key(self, file: File) -> tuple[str, ...]:
        """What an answer depends on."""
        return file.digest, self.model.name, self.model.version, self.device

    def portions(self, files: Sequence[File]) -> Iterator[list[File]]:
        """The files in their order, as many at a time as one request may have. One that is too large for any goes alone."""
        portion: list[File] = []
        size = 0
        for file in files:
            weight = len(file.data) + WRAPPING
            full = len(portion) >= min(AT_ONCE, self.limits.max_images) or size + weight > self.limits.max_batch_bytes
            if portion and full:
                yield portion
                portion, size = [], 0
            portion.append(file)
            size += weight
        if portion:
            yield portion

    def ask(self, pictures: Sequence[bytes]) -> list[Classification | Problem]:
        """An answer or a problem for each picture, in order. Those that are too much together are asked for in halves.

        Raises:
            Unavailable, Problem: the service did not answer, or refused all of them for another reason.
        """
        try:
            return self.client.classify_batch(pictures, model=self.model.name, device=self.device)
        except Problem as problem:
            if problem.status != 413:
                raise
            if len(pictures) == 1:
                return [problem]
            half = len(pictures) // 2
            return self.ask(pictures[:half]) + self.ask(pictures[half:])


@dataclass(slots=True)
class Memory:
    """What is known of the files on the page: the answers to them, and what to show of them by their content."""

    outcomes: dict[tuple[str, ...], Classification | Problem] = field(default_factory=dict)
    thumbnails: dict[str, bytes | None] = field(default_factory=dict)

    @classmethod
    def current(cls) -> "Memory":
        """The memory of the visitor this run is for."""
        memory = st.session_state.get(_KEY)
        if not isinstance(memory, cls):
            memory = st.session_state[_KEY] = cls()
        return memory

    def forget_all_but(self, files: Sequence[File]) -> None:
        """Files that are no longer on the page need no memory."""
        here = {file.digest for file in files}
        self.outcomes = {key: outcome for key, outcome in self.outcomes.items() if key[0] in here}
        self.thumbnails = {digest: picture for digest, picture in self.thumbnails.items() if digest in here}

    def learn(
        self, reader: Reader, files: Sequence[File], gallery: Gallery | None, progress: Callable[[int, int], None]
    ) -> None:
        """Have the files read that have no answer yet, a portion at a time; new answers enter a gallery that keeps.

        Raises:
            Unavailable, Problem: the service stopped answering; what it answered until then is known.
        """
        unknown = list({file.digest: file for file in files if reader.key(file) not in self.outcomes}.values())
        done = 0
        for portion in reader.portions(unknown):
            progress(done, len(unknown))
            outcomes = reader.ask([file.data for file in portion])
            for file, outcome in zip(portion, outcomes, strict=True):
                if file.digest not in self.thumbnails:
                    self.thumbnails[file.digest] = table.thumbnail(file.data)
                if isinstance(outcome, Classification) and gallery is not None and gallery.keeping:
                    gallery.record(None, file.data, preview(file.data), outcome, reader.device)
                if isinstance(outcome, Classification) or not outcome.passing:
                    self.outcomes[reader.key(file)] = outcome
            for outcome in outcomes:
                if isinstance(outcome, Problem) and outcome.passing:
                    raise outcome
            done += len(portion)

    def rows(self, reader: Reader, files: Sequence[File]) -> list[table.Row]:
        """The files in their order, with what is known of them."""
        return [table.Row(f.name, self.thumbnails.get(f.digest), self.outcomes.get(reader.key(f))) for f in files]


def show(reader: Reader, files: Sequence[File], gallery: Gallery | None = None) -> None:
    """Ask for what is not known yet, then list all files with their answers; what is new enters a gallery that keeps.

    A service that stops answering costs nothing that was answered: the button asks for the rest.
    """
    memory = Memory.current()
    memory.forget_all_but(files)
    with st.container(key="files"):
        place, failure = st.empty(), None

        def progress(done: int, total: int) -> None:
            place.progress(done / total, say("files.reading", done=done, total=total))

        try:
            memory.learn(reader, files, gallery, progress)
        except (Unavailable, Problem) as caught:
            failure = caught
        place.empty()
        rows = memory.rows(reader, files)
        _summary(rows, failure)
        st.html(table.html(rows))
        csv = table.spreadsheet(rows)
        st.download_button(
            say("files.csv"), csv, "answers.csv", "text/csv", key="csv", icon=":material/download:", on_click="ignore"
        )


def _summary(rows: Sequence[table.Row], failure: Unavailable | Problem | None) -> None:
    read = sum(isinstance(row.outcome, Classification) for row in rows)
    broken = [row.name for row in rows if isinstance(row.outcome, Problem)]
    text = say("files.summary", read=read, total=len(rows))
    if broken:
        names = ", ".join(broken[:NAMED]) + (", …" if len(broken) > NAMED else "")
        text += " " + say("files.broken", count=len(broken), names=names)
    st.html(f'<p class="quiet">{markup.text(text)}</p>')
    if failure is None:
        return
    st.error(say("files.stopped", count=len(rows) - read - len(broken)), icon=":material/cloud_off:")
    if isinstance(failure, Problem):
        st.html(f'<p class="quiet">{markup.text(faults.sentence(failure))}</p>')
    st.button(say("files.retry"), key="retry-files", icon=":material/refresh:")

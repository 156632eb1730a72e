"""The gallery: entries kept, found, corrected and removed. What it answers has been written."""

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import URL, ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session, undefer

from gallery.database import Database
from gallery.pictures import Picture
from gallery.tables import Entry

# Threads that may use a store at a time; each has a connection.
CONNECTIONS: Final = 4
EXPORT_PAGE: Final = 16
EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
PLACE: Final = struct.Struct(">q16s")


class Full(Exception):
    """The gallery holds as many entries as it may."""


class NoEntry(Exception):
    """There is no such entry."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model said of a picture; ``category`` and ``top`` are shares: label and confidence."""

    model: str
    version: str
    label: str
    confidence: float
    rejected: bool
    category: dict[str, Any] | None
    top: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries: of a model, of a label (the correction, else the prediction), corrected or not."""

    model: str | None = None
    label: str | None = None
    corrected: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What holds of them."""
        found: list[ColumnElement[bool]] = []
        if self.model is not None:
            found.append(Entry.model == self.model)
        if self.label is not None:
            found.append(func.coalesce(Entry.corrected, Entry.label) == self.label)
        if self.corrected is not None:
            found.append(Entry.corrected.is_not(None) if self.corrected else Entry.corrected.is_(None))
        return found


class Place(NamedTuple):
    """Between two entries: after the one of this age and id, which need not be there any more."""

    created: datetime
    id: UUID

    def text(self) -> str:
        """As a client is given it."""
        microseconds = (self.created - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(PLACE.pack(microseconds, self.id.bytes)).decode("ascii")

    @classmethod
    def parse(cls, text: str) -> "Place":
        """What ``text`` gave.

        Raises:
            ValueError: it is none.
        """
        try:
            microseconds, id = PLACE.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
            return cls(EPOCH + timedelta(microseconds=microseconds), UUID(bytes=id))
        except (ValueError, struct.error, OverflowError):
            raise ValueError("it is not the `next` of a page") from None


class Page(NamedTuple):
    """Entries, newest first, the place after them where there are more, and how many were chosen in all."""

    entries: list[Entry]
    next: Place | None
    total: int


class Store:
    """A gallery of at most ``max_entries`` in the database at ``url``. Safe to share between ``CONNECTIONS`` threads.

    Every method raises ``gallery.Unavailable`` when the database cannot be used.
    """

    def __init__(self, url: URL, max_entries: int) -> None:
        self._database = Database(url, CONNECTIONS)
        self._max_entries = max_entries

    def keep(self, prediction: Prediction, picture: Picture, key: str | None = None) -> tuple[Entry, bool]:
        """Keep a picture; the entry, and whether it is new.

        An entry of the same ``key`` is renewed instead. Its correction stays if the picture and the model are the same.

        Raises:
            Full: there is no room for another entry.
        """
        now = datetime.now(timezone.utc)
        with self._database.session(writing=True) as session:
            same_key = select(Entry).where(Entry.key == key).options(undefer(Entry.image))
            entry = session.scalar(same_key) if key is not None else None
            new = entry is None
            if entry is None:
                if _count(session) >= self._max_entries:
                    raise Full
                entry = Entry(id=uuid4(), key=key, created=now)
                session.add(entry)
            elif (entry.image, entry.model) != (picture.png, prediction.model):
                entry.corrected = None
            for name, value in {**asdict(prediction), **_columns(picture), "updated": now}.items():
                setattr(entry, name, value)
        return entry, new

    def entry(self, id: UUID) -> Entry:
        """One entry, without its picture.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session() as session:
            return _found(session, select(Entry).where(Entry.id == id))

    def image(self, id: UUID) -> bytes:
        """The picture of an entry as PNG.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session() as session:
            return _found(session, select(Entry).where(Entry.id == id).options(undefer(Entry.image))).image

    def page(self, choice: Choice, limit: int, after: Place | None = None) -> Page:
        """At most ``limit`` of the chosen entries, newest first, those after a place."""
        with self._database.session() as session:
            entries = list(session.scalars(_newest_first(choice, after).limit(limit + 1)))
            total = _count(session, choice)
        more = len(entries) > limit
        return Page(entries[:limit], _place(entries[limit - 1]) if more else None, total)

    def pictures(self, choice: Choice) -> Iterator[Entry]:
        """All chosen entries with their pictures, newest first, a few at a time in memory.

        Those that are added meanwhile are not among them, and those that are deleted may be.
        """
        after: Place | None = None
        while True:
            with self._database.session() as session:
                statement = _newest_first(choice, after).limit(EXPORT_PAGE).options(undefer(Entry.image))
                entries = list(session.scalars(statement))
            yield from entries
            if len(entries) < EXPORT_PAGE:
                return
            after = _place(entries[-1])

    def correct(self, id: UUID, label: str | None, check: Callable[[str, str], None]) -> Entry:
        """Give an entry another label, or with None its prediction back.

        ``check`` is told the entry's model and the label, and raises what it will when they do not go together.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session(writing=True) as session:
            entry = _found(session, select(Entry).where(Entry.id == id))
            if label is not None:
                check(entry.model, label)
            if entry.corrected != label:
                entry.corrected, entry.updated = label, datetime.now(timezone.utc)
        return entry

    def delete(self, id: UUID) -> None:
        """Remove an entry.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session(writing=True) as session:
            if session.scalar(delete(Entry).where(Entry.id == id).returning(Entry.id)) is None:
                raise NoEntry(str(id))

    def empty(self) -> int:
        """Remove all entries; how many they were."""
        with self._database.session(writing=True) as session:
            count = _count(session)
            session.execute(delete(Entry))
        return count

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def _columns(picture: Picture) -> dict[str, Any]:
    return {"image": picture.png, "thumbnail": picture.thumbnail, "width": picture.width, "height": picture.height}


def _newest_first(choice: Choice, after: Place | None) -> Select[tuple[Entry]]:
    """The chosen entries after a place, in the order of pages."""
    chosen = select(Entry).where(*choice.conditions()).order_by(Entry.created.desc(), Entry.id.desc())
    if after is None:
        return chosen
    return chosen.where(or_(Entry.created < after.created, and_(Entry.created == after.created, Entry.id < after.id)))


def _place(entry: Entry) -> Place:
    return Place(entry.created, entry.id)


def _count(session: Session, choice: Choice | None = None) -> int:
    conditions = choice.conditions() if choice else []
    return session.scalar(select(func.count()).select_from(Entry).where(*conditions)) or 0


def _found(session: Session, statement: Select[tuple[Entry]]) -> Entry:
    entry = session.scalar(statement)
    if entry is None:
        raise NoEntry
    return entry

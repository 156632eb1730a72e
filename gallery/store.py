"""The gallery: entries kept, found, corrected and removed. What it answers has been written."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import URL, Select, delete, func, select
from sqlalchemy.orm import Session, undefer

from gallery.cancellation import Cancellation
from gallery.database import Database
from gallery.listing import Choice, Page, Place, newest_first
from gallery.pictures import Picture
from gallery.tables import Entry

# Threads that may use a store at a time; each has a connection.
CONNECTIONS: Final = 4
# Bytes of pictures that a gallery holds unless it is told otherwise.
MAX_BYTES: Final = 2_147_483_648
# Pictures that an export reads from the database at a time, fewer where they are large.
EXPORT_PAGE: Final = 16
EXPORT_BYTES: Final = 1_048_576


class Full(Exception):
    """The gallery holds as many entries, or bytes of pictures, as it may."""

    def __init__(self, of: Literal["entries", "bytes"]) -> None:
        super().__init__(of)
        self.of = of


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
class Keeper:
    """Who keeps a picture: the name of an API key, empty where there are none, and whether it may correct entries too."""

    name: str = ""
    may_correct: bool = True


ANYBODY: Final = Keeper()


class Store:
    """A gallery of at most ``max_entries`` and ``max_bytes`` of pictures in the database at ``url``. Safe to share between
    ``CONNECTIONS`` threads.

    Every method raises ``gallery.Unavailable`` when the database cannot be used. Those that write take a ``Cancellation`` and
    raise ``gallery.Cancelled``, with nothing changed, when they were called off before their commit.
    """

    def __init__(self, url: URL, max_entries: int, max_bytes: int = MAX_BYTES) -> None:
        self._database = Database(url, CONNECTIONS)
        self._max_entries = max_entries
        self._max_bytes = max_bytes

    def keep(
        self,
        prediction: Prediction,
        picture: Picture,
        key: str | None = None,
        keeper: Keeper = ANYBODY,
        cancellation: Cancellation | None = None,
    ) -> tuple[Entry, bool]:
        """Keep a picture; the entry, and whether it is new.

        An entry of the same ``key`` and keeper is renewed instead. Its correction stays if the picture and the model are the
        same. If they are not, a keeper that may not correct does not take it away: the corrected entry stays as it is, without
        its key, and there is a new one.

        Raises:
            Full: there is no room for another entry, or for so large a picture.
        """
        now = datetime.now(timezone.utc)
        with self._database.session(writing=True, cancellation=cancellation) as session:
            entry = self._entry_of(session, keeper.name, key)
            if entry is not None and (entry.image, entry.model) != (picture.image, prediction.model):
                if entry.corrected is not None and not keeper.may_correct:
                    entry.key, entry = None, None
                    session.flush()  # before another entry takes the key
                else:
                    entry.corrected = None
            new = entry is None
            self._check_room(session, new, picture.size - (entry.size if entry else 0))
            if entry is None:
                entry = Entry(id=uuid4(), owner=keeper.name, key=key, created=now, corrected=None)
                session.add(entry)
            for name, value in {**asdict(prediction), **asdict(picture), "size": picture.size, "updated": now}.items():
                setattr(entry, name, value)
        return entry, new

    def entry(self, id: UUID) -> Entry:
        """One entry, without its picture.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session() as session:
            return _found(session, select(Entry).where(Entry.id == id))

    def image(self, id: UUID) -> tuple[bytes, str]:
        """The picture of an entry, and its media type.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session() as session:
            entry = _found(session, select(Entry).where(Entry.id == id).options(undefer(Entry.image)))
            return entry.image, entry.media_type

    def page(self, choice: Choice, limit: int, after: Place | None = None) -> Page:
        """At most ``limit`` of the chosen entries, newest first, those after a place."""
        with self._database.session() as session:
            entries = list(session.scalars(newest_first(choice, after).limit(limit + 1)))
            total = session.scalar(select(func.count()).select_from(Entry).where(*choice.conditions())) or 0
        more = len(entries) > limit
        return Page(entries[:limit], Place.of(entries[limit - 1]) if more else None, total)

    def pictures(self, choice: Choice) -> Iterator[Entry]:
        """All chosen entries with their pictures, newest first: in memory is one of them, or a few small ones.

        Those that are added meanwhile are not among them, and those that are deleted may be.
        """
        entries, after = self._few_pictures(choice, None)
        while after is not None:
            entries.reverse()
            while entries:
                yield entries.pop()
            entries, after = self._few_pictures(choice, after)

    def correct(
        self, id: UUID, label: str | None, check: Callable[[str, str], None], cancellation: Cancellation | None = None
    ) -> Entry:
        """Give an entry another label, or with None its prediction back.

        ``check`` is told the entry's model and the label, and raises what it will when they do not go together.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session(writing=True, cancellation=cancellation) as session:
            entry = _found(session, select(Entry).where(Entry.id == id))
            if label is not None:
                check(entry.model, label)
            if entry.corrected != label:
                entry.corrected, entry.updated = label, datetime.now(timezone.utc)
        return entry

    def delete(self, id: UUID, cancellation: Cancellation | None = None) -> None:
        """Remove an entry.

        Raises:
            NoEntry: it is not there.
        """
        with self._database.session(writing=True, cancellation=cancellation) as session:
            if session.scalar(delete(Entry).where(Entry.id == id).returning(Entry.id)) is None:
                raise NoEntry(str(id))

    def empty(self, cancellation: Cancellation | None = None) -> int:
        """Remove all entries; how many they were."""
        with self._database.session(writing=True, cancellation=cancellation) as session:
            count = session.scalar(select(func.count()).select_from(Entry)) or 0
            session.execute(delete(Entry))
        return count

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _entry_of(self, session: Session, owner: str, key: str | None) -> Entry | None:
        if key is None:
            return None
        return session.scalar(select(Entry).where(Entry.owner == owner, Entry.key == key).options(undefer(Entry.image)))

    def _check_room(self, session: Session, new: bool, more: int) -> None:
        """Return if there is room for a ``new`` entry and for so many ``more`` bytes; what makes nothing larger has it always.

        Raises:
            Full: there is none.
        """
        count, size = session.execute(select(func.count(), func.coalesce(func.sum(Entry.size), 0))).one()
        if new and count >= self._max_entries:
            raise Full("entries")
        if more > 0 and size + more > self._max_bytes:
            raise Full("bytes")

    def _few_pictures(self, choice: Choice, after: Place | None) -> tuple[list[Entry], Place | None]:
        """The next entries with their pictures, one or as many as are not large together, and the place after them; no place
        where there are none."""
        chosen = newest_first(choice, after).limit(EXPORT_PAGE)
        with self._database.session() as session:
            ids: list[UUID] = []
            size, place = 0, None
            for id, created, its_size in session.execute(chosen.with_only_columns(Entry.id, Entry.created, Entry.size)):
                size += its_size
                if ids and size > EXPORT_BYTES:
                    break
                ids.append(id)
                place = Place(created, id)
            pictures = newest_first(choice, after).where(Entry.id.in_(ids)).options(undefer(Entry.image))
            return list(session.scalars(pictures)) if ids else [], place


def _found(session: Session, statement: Select[tuple[Entry]]) -> Entry:
    entry = session.scalar(statement)
    if entry is None:
        raise NoEntry
    return entry

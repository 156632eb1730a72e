"""Stores, lists, corrects and deletes the entries of a gallery; every change is committed before a method returns."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import URL, Select, delete, func, select
from sqlalchemy.orm import Session, undefer

from gallery.database import Database
from gallery.images import StoredImage
from gallery.pending_write import PendingWrite
from gallery.query import Cursor, Filter, Page, newest_first
from gallery.tables import Entry

# Threads that may use a store at the same time; each has a connection.
CONNECTIONS: Final = 4
# The default quota in bytes of images.
MAX_BYTES: Final = 2_147_483_648
# Images and bytes that an export reads from the database at a time.
EXPORT_PAGE: Final = 16
EXPORT_BYTES: Final = 1_048_576


class QuotaExceeded(Exception):
    """The gallery is full: ``of`` is the quota that was reached."""

    def __init__(self, of: Literal["entries", "bytes"]) -> None:
        super().__init__(of)
        self.of = of


class EntryNotFound(Exception):
    """There is no entry with this id."""


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """The prediction of a model that is stored with an image; ``category`` and ``top`` have labels with confidences."""

    model: str
    version: str
    label: str
    confidence: float
    rejected: bool
    category: dict[str, Any] | None
    top: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of entries: the name of an API key, empty without API keys, and whether it may correct entries."""

    name: str = ""
    may_correct: bool = True


ANONYMOUS: Final = Owner()


class Store:
    """A gallery in the database at ``url``, of at most ``max_entries`` and ``max_bytes`` of images; thread-safe.

    Every method raises ``gallery.DatabaseUnavailable`` if the database cannot be used. Methods that write take a
    ``PendingWrite`` and raise ``gallery.WriteCancelled``, with nothing changed, if they were cancelled before their commit.
    """

    def __init__(self, url: URL, max_entries: int, max_bytes: int = MAX_BYTES) -> None:
        self._database = Database(url, CONNECTIONS)
        self._max_entries = max_entries
        self._max_bytes = max_bytes

    def save(
        self,
        prediction: StoredPrediction,
        stored: StoredImage,
        key: str | None = None,
        owner: Owner = ANONYMOUS,
        pending: PendingWrite | None = None,
    ) -> tuple[Entry, bool]:
        """Store an image with its prediction; returns the entry, and whether it is new.

        An entry with the same ``key`` and owner is updated. Its correction stays if image and model are unchanged. If they
        changed, an owner that may not correct cannot remove it: the corrected entry stays without its key, and a new one is
        added.

        Raises:
            QuotaExceeded: the quota of entries or bytes is reached.
        """
        now = datetime.now(timezone.utc)
        with self._database.session(writing=True, pending=pending) as session:
            entry = self._by_key(session, owner.name, key)
            if entry is not None and (entry.image, entry.model) != (stored.image, prediction.model):
                if entry.corrected is not None and not owner.may_correct:
                    entry.key, entry = None, None
                    session.flush()  # before another entry takes the key
                else:
                    entry.corrected = None
            is_new = entry is None
            self._check_quota(session, is_new, stored.size - (entry.size if entry else 0))
            if entry is None:
                entry = Entry(id=uuid4(), owner=owner.name, key=key, created=now, corrected=None)
                session.add(entry)
            for name, value in {**asdict(prediction), **asdict(stored), "size": stored.size, "updated": now}.items():
                setattr(entry, name, value)
        return entry, is_new

    def get(self, id: UUID) -> Entry:
        """One entry, without its image.

        Raises:
            EntryNotFound: there is none with this id.
        """
        with self._database.session() as session:
            return _first(session, select(Entry).where(Entry.id == id))

    def image(self, id: UUID) -> tuple[bytes, str]:
        """The image of an entry, and its media type.

        Raises:
            EntryNotFound: there is none with this id.
        """
        with self._database.session() as session:
            entry = _first(session, select(Entry).where(Entry.id == id).options(undefer(Entry.image)))
            return entry.image, entry.media_type

    def page(self, filter: Filter, limit: int, after: Cursor | None = None) -> Page:
        """At most ``limit`` entries in a filter after a cursor, newest first."""
        with self._database.session() as session:
            entries = list(session.scalars(newest_first(filter, after).limit(limit + 1)))
            total = session.scalar(select(func.count()).select_from(Entry).where(*filter.conditions())) or 0
        has_next = len(entries) > limit
        return Page(entries[:limit], Cursor.of(entries[limit - 1]) if has_next else None, total)

    def entries_with_images(self, filter: Filter) -> Iterator[Entry]:
        """Iterate over all entries in a filter with their images, newest first; one image is in memory, or a few small ones.

        Entries that are added meanwhile are left out; those that are deleted meanwhile may be included.
        """
        entries, after = self._next_batch(filter, None)
        while after is not None:
            entries.reverse()
            while entries:
                yield entries.pop()
            entries, after = self._next_batch(filter, after)

    def correct(
        self, id: UUID, label: str | None, check: Callable[[str, str], None], pending: PendingWrite | None = None
    ) -> Entry:
        """Correct the label of an entry, or remove its correction with None.

        ``check`` is called with the entry's model and the label, and raises an error if the model does not have it.

        Raises:
            EntryNotFound: there is none with this id.
        """
        with self._database.session(writing=True, pending=pending) as session:
            entry = _first(session, select(Entry).where(Entry.id == id))
            if label is not None:
                check(entry.model, label)
            if entry.corrected != label:
                entry.corrected, entry.updated = label, datetime.now(timezone.utc)
        return entry

    def delete(self, id: UUID, pending: PendingWrite | None = None) -> None:
        """Delete an entry.

        Raises:
            EntryNotFound: there is none with this id.
        """
        with self._database.session(writing=True, pending=pending) as session:
            if session.scalar(delete(Entry).where(Entry.id == id).returning(Entry.id)) is None:
                raise EntryNotFound(str(id))

    def delete_all(self, pending: PendingWrite | None = None) -> int:
        """Delete all entries; returns how many there were."""
        with self._database.session(writing=True, pending=pending) as session:
            count = session.scalar(select(func.count()).select_from(Entry)) or 0
            session.execute(delete(Entry))
        return count

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _by_key(self, session: Session, owner: str, key: str | None) -> Entry | None:
        if key is None:
            return None
        return session.scalar(select(Entry).where(Entry.owner == owner, Entry.key == key).options(undefer(Entry.image)))

    def _check_quota(self, session: Session, is_new: bool, added: int) -> None:
        """Check the quotas for a new entry and for ``added`` bytes; an entry that does not grow is always accepted.

        Raises:
            QuotaExceeded: a quota is reached.
        """
        count, size = session.execute(select(func.count(), func.coalesce(func.sum(Entry.size), 0))).one()
        if is_new and count >= self._max_entries:
            raise QuotaExceeded("entries")
        if added > 0 and size + added > self._max_bytes:
            raise QuotaExceeded("bytes")

    def _next_batch(self, filter: Filter, after: Cursor | None) -> tuple[list[Entry], Cursor | None]:
        """The next entries with their images, up to ``EXPORT_BYTES`` but at least one, and the cursor after them, or None."""
        statement = newest_first(filter, after).limit(EXPORT_PAGE)
        with self._database.session() as session:
            ids: list[UUID] = []
            size, cursor = 0, None
            for id, created, entry_size in session.execute(statement.with_only_columns(Entry.id, Entry.created, Entry.size)):
                size += entry_size
                if ids and size > EXPORT_BYTES:
                    break
                ids.append(id)
                cursor = Cursor(created, id)
            with_images = newest_first(filter, after).where(Entry.id.in_(ids)).options(undefer(Entry.image))
            return list(session.scalars(with_images)) if ids else [], cursor


def _first(session: Session, statement: Select[tuple[Entry]]) -> Entry:
    entry = session.scalar(statement)
    if entry is None:
        raise EntryNotFound
    return entry

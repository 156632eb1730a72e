"""Queries for entries: filter, order and cursor-based pagination."""

import base64
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from gallery.tables import Entry

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
CURSOR: Final = struct.Struct(">q16s")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter on entries: by model, by label (the correction, else the prediction), by whether they are corrected."""

    model: str | None = None
    label: str | None = None
    corrected: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions of the SQL query."""
        result: list[ColumnElement[bool]] = []
        if self.model is not None:
            result.append(Entry.model == self.model)
        if self.label is not None:
            result.append(func.coalesce(Entry.corrected, Entry.label) == self.label)
        if self.corrected is not None:
            result.append(Entry.corrected.is_not(None) if self.corrected else Entry.corrected.is_(None))
        return result


class Cursor(NamedTuple):
    """The position in a listing after the entry with this time and id, which may have been deleted since."""

    created: datetime
    id: UUID

    @classmethod
    def of(cls, entry: Entry) -> "Cursor":
        """The position after an entry."""
        return cls(entry.created, entry.id)

    def encode(self) -> str:
        """The cursor as an opaque string for clients."""
        microseconds = (self.created - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(CURSOR.pack(microseconds, self.id.bytes)).decode("ascii")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor that ``encode`` made into this string.

        Raises:
            ValueError: it is not a cursor.
        """
        try:
            microseconds, id = CURSOR.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
            return cls(EPOCH + timedelta(microseconds=microseconds), UUID(bytes=id))
        except (ValueError, struct.error, OverflowError):
            raise ValueError("it is not the `next` of a page") from None


class Page(NamedTuple):
    """Entries, newest first, the cursor of the next page if there are more, and the total number of entries in the filter."""

    entries: list[Entry]
    next: Cursor | None
    total: int


def newest_first(filter: Filter, after: Cursor | None) -> Select[tuple[Entry]]:
    """The query for the entries in a filter after a cursor, newest first."""
    statement = select(Entry).where(*filter.conditions()).order_by(Entry.created.desc(), Entry.id.desc())
    if after is None:
        return statement
    return statement.where(or_(Entry.created < after.created, and_(Entry.created == after.created, Entry.id < after.id)))

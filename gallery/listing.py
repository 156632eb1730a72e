"""Which entries, in which order, and from where on."""

import base64
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from gallery.tables import Entry

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
PLACE: Final = struct.Struct(">q16s")


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

    @classmethod
    def of(cls, entry: Entry) -> "Place":
        """The one after an entry."""
        return cls(entry.created, entry.id)

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


def newest_first(choice: Choice, after: Place | None) -> Select[tuple[Entry]]:
    """The chosen entries after a place, in the order of pages."""
    chosen = select(Entry).where(*choice.conditions()).order_by(Entry.created.desc(), Entry.id.desc())
    if after is None:
        return chosen
    return chosen.where(or_(Entry.created < after.created, and_(Entry.created == after.created, Entry.id < after.id)))

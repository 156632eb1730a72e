"""The tables of a gallery as SQLAlchemy models; ``migrations/`` creates them version by version."""

from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Double,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

KEY_LENGTH = 64
MODEL_LENGTH = 63
OWNER_LENGTH = 64
MEDIA_TYPE_LENGTH = 32


class UtcDateTime(TypeDecorator[datetime]):
    """Datetimes in UTC: SQLite would drop the time zone, PostgreSQL return the server's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert a value for the database."""
        return value and value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert a value from the database."""
        if value is None or value.tzinfo:
            return value and value.astimezone(timezone.utc)
        return value.replace(tzinfo=timezone.utc)


class Base(DeclarativeBase):
    """The base class of the tables."""


class Entry(Base):
    """A stored image, the prediction of a model, and the label that a person corrected it to.

    ``owner`` is the name of the API key it was stored with, empty without one. ``key`` is chosen by the client and unique per
    owner. ``category`` and ``top`` have labels with confidences, as in the API. ``thumbnail`` is a PNG, ``image`` has the
    ``media_type``, and ``size`` is the bytes of both. ``image`` is loaded only on demand.
    """

    __tablename__ = "gallery_entries"
    __table_args__ = (
        Index("gallery_entries_by_age", "created", "id"),
        Index("gallery_entries_by_size", "size"),  # the total size is computed from the index alone
        UniqueConstraint("owner", "key", name="gallery_entries_owner_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(OWNER_LENGTH))
    key: Mapped[str | None] = mapped_column(String(KEY_LENGTH))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    updated: Mapped[datetime] = mapped_column(UtcDateTime)
    model: Mapped[str] = mapped_column(String(MODEL_LENGTH))
    version: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    corrected: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Double)
    rejected: Mapped[bool]
    category: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    top: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(MEDIA_TYPE_LENGTH))
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary)
    image: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)

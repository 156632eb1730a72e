"""The pydantic models of /gallery: requests and responses."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator

from gallery import Cursor, Entry, Filter
from models.card import Card, SequenceCard
from serving.errors import Problem
from serving.http.schemas import LabelScore

# PostgreSQL text cannot contain a NUL character. The text of a sequence is longer than any label: at most MAX_CHARACTERS, which
# is 256 or less, and newlines between them.
Label = Annotated[str, StringConstraints(max_length=511, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(max_length=63, pattern=r"^[^\x00]*$")]


class SaveOptions(BaseModel):
    """The options of saving a picture, besides those of its classification."""

    key: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Chosen by the client: the entry of the same key, and of the same API key, is renewed, so that a retry "
        "makes no second one.",
    )


class EntryFilter(BaseModel):
    """Which entries."""

    model: Name | None = Field(None, description="Of this model.")
    label: Label | None = Field(None, description="Of this label: the correction where there is one, else the prediction.")
    corrected: bool | None = Field(None, description="Those with a correction, or those without.")

    def choice(self) -> Filter:
        """The filter as the gallery takes it."""
        return Filter(self.model, self.label, self.corrected)


class ListOptions(EntryFilter):
    """Which page of the selected entries."""

    limit: int = Field(24, ge=1, le=100, description="Entries of a page.")
    cursor: str | None = Field(None, description="The `next` of the page before; the newest entries without one.")

    @field_validator("cursor")
    @classmethod
    def _is_a_place(cls, cursor: str | None) -> str | None:
        if cursor is not None:
            Cursor.decode(cursor)
        return cursor

    def after(self) -> Cursor | None:
        """The entry after which the page begins."""
        return None if self.cursor is None else Cursor.decode(self.cursor)


class Correction(BaseModel):
    """The correct label of a picture."""

    label: Label | None = Field(
        description="One of the labels of the entry's model, or for a sequence a text of them; null takes the correction back."
    )


class GalleryEntry(BaseModel):
    """A saved picture, its prediction, and its corrected label."""

    id: str
    created: datetime
    updated: datetime
    model: str
    version: str
    label: str
    confidence: float
    rejected: bool
    category: LabelScore | None
    top: list[LabelScore]
    corrected: str | None
    width: int = Field(description="Pixels of the kept picture.")
    height: int
    image: str = Field(description="Path of the kept picture: PNG, JPEG or WebP, at most 1024 pixels a side.")
    thumbnail: str = Field(description="PNG as base64, at most 160 pixels a side.")

    @classmethod
    def of(cls, entry: Entry) -> "GalleryEntry":
        """The entry as the API shows it."""
        return cls(
            id=str(entry.id),
            created=entry.created,
            updated=entry.updated,
            model=entry.model,
            version=entry.version,
            label=entry.label,
            confidence=entry.confidence,
            rejected=entry.rejected,
            category=None if entry.category is None else LabelScore(**entry.category),
            top=[LabelScore(**score) for score in entry.top],
            corrected=entry.corrected,
            width=entry.width,
            height=entry.height,
            image=f"/gallery/{entry.id}/image",
            thumbnail=b64encode(entry.thumbnail).decode("ascii"),
        )


class GalleryPage(BaseModel):
    """Entries, newest first."""

    entries: list[GalleryEntry]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")
    total: int = Field(description="How many entries were chosen, on all pages.")


class Emptied(BaseModel):
    """How many entries were deleted."""

    deleted: int


def parse_correction(body: bytes) -> Correction:
    """Parse a correction from JSON.

    Raises:
        Problem: ``bad_request``, saying what was wrong.
    """
    try:
        return Correction.model_validate_json(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise Problem("bad_request", f'Send JSON like {{"label": "8"}} or {{"label": null}}. {faults}.') from error


def check_label(card_of: Callable[[str], Card], max_characters: int) -> Callable[[str, str], None]:
    """A check that a label is one of a model's, or for a sequence a text of at most ``max_characters`` of them in lines;
    ``card_of`` gives the model's card.

    The check raises:
        Problem: ``bad_request``, listing some that are; what ``card_of`` raises.
    """

    def check(model: str, label: str) -> None:
        card = card_of(model)
        some = ", ".join(card.labels[:60]) + (", ..." if len(card.labels) > 60 else "")
        if not isinstance(card, SequenceCard):
            if label not in card.labels:
                raise Problem("bad_request", f"label={label[:40]!r} is not one of the labels of {model}: {some}.")
            return
        lines = label.split("\n")
        if "" in lines or not set(label) - {"\n"} <= set(card.labels) or len("".join(lines)) > max_characters:
            raise Problem(
                "bad_request",
                f"label={label[:40]!r} is not a text of 1 to {max_characters} labels of {model}: {some}. Separate lines by a "
                "newline, and leave none empty.",
            )

    return check

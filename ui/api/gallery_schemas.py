"""Response schemas of the service's gallery, and which of its entries a request is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import Base64Bytes, BaseModel


@dataclass(frozen=True, slots=True)
class GalleryFilter:
    """Which entries of the gallery: of one model, of one label (the correction if there is one, else the prediction), with or
    without a correction. None means all."""

    model: str | None = None
    label: str | None = None
    corrected: bool | None = None

    def params(self) -> dict[str, str]:
        """Return the query parameters of `GET /gallery` and `GET /gallery/export`."""
        corrected = None if self.corrected is None else str(self.corrected).lower()
        given = {"model": self.model, "label": self.label, "corrected": corrected}
        return {name: value for name, value in given.items() if value is not None}


ALL_ENTRIES: Final = GalleryFilter()


class SavedPicture(BaseModel):
    """One entry of the service's gallery, with a thumbnail. `created` is when it was saved."""

    id: str
    created: datetime
    model: str
    version: str = ""
    label: str
    confidence: float
    rejected: bool = False
    corrected: str | None = None
    thumbnail: Base64Bytes


class GalleryPage(BaseModel):
    """The response of `GET /gallery`: entries, newest first, the cursor of the next page, and the total number of entries."""

    entries: list[SavedPicture]
    next: str | None = None
    total: int = 0


class DeleteAllResponse(BaseModel):
    """The response of `DELETE /gallery`."""

    deleted: int = 0

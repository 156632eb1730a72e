"""Limits on the size of an image, checked before any pixel is decoded."""

from dataclasses import dataclass
from typing import Final

JPEG: Final = "JPEG"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Maximal pixels, pixels of a JPEG (which is decoded at a fraction of its size), pixels along a side, and bytes of the file
    (None is no limit)."""

    pixels: int = 4_194_304
    photo_pixels: int = 16_777_216
    side: int = 8192
    file_bytes: int | None = None

    def pixels_of(self, format: str) -> int:
        """The maximal number of pixels of an image in a format, by Pillow's name of it."""
        return self.photo_pixels if format == JPEG else self.pixels

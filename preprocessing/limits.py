"""How large a picture may be, all of it known before a pixel is decoded."""

from dataclasses import dataclass
from typing import Final

PHOTO: Final = "JPEG"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most ``pixels`` of a picture that is decoded in full, and ``photo_pixels`` of a JPEG, which is decoded at a fraction
    of its size; the most pixels along a ``side``; the most bytes of the file, any number for None."""

    pixels: int = 4_194_304
    photo_pixels: int = 16_777_216
    side: int = 8192
    file_bytes: int | None = None

    def of(self, name: str) -> int:
        """The most pixels of a picture in the format Pillow calls ``name``."""
        return self.photo_pixels if name == PHOTO else self.pixels

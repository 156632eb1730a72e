"""How large a picture may be, all of it known before a pixel is decoded."""

from dataclasses import dataclass
from typing import Final

# Scans of one JPEG. Encoders write about ten; each costs a pass over all coefficients, however few bytes it takes, so that a
# file of 75 kB with 400 of them was decoded for four seconds.
MAX_SCANS: Final = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """The most ``pixels`` of a PNG or WebP, which is decoded in full, and ``photo_pixels`` of a JPEG, which is decoded at a
    fraction of its size; the most pixels along a ``side``."""

    pixels: int = 4_194_304
    photo_pixels: int = 16_777_216
    side: int = 8192

    def of(self, name: str) -> int:
        """The most pixels of a picture in the format Pillow calls ``name``."""
        return self.photo_pixels if name == "JPEG" else self.pixels

"""Metadata that PNG, JPEG and WebP share: colour profiles, orientations, and bytes behind the end of a file."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from loadtests.images import ORIENTATION, encode

ZIP: Final = b"PK\x03\x04" + bytes(3000)
HTML: Final = b"<html><script>alert(1)</script>"
BROKEN_EXIF: Final = b"Exif\0\0MM\0*\xff\xff\xff\xff"


def with_metadata(image: Image.Image, format: str) -> Iterable[tuple[str, bytes]]:
    """Encode an image with every kind of metadata; it is upright where the orientation is valid."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profiles = {
        "valid profile": profile,
        "broken profile": b"acsp" + bytes(range(256)),
        "half a profile": profile[:100],
        "profile of 300 kB": profile + np.random.default_rng(0).bytes(300_000),
    }
    for name, content in profiles.items():
        yield name, encode(image.convert("RGB"), format, icc_profile=content)
    for orientation in (1, 3, 0, 9, 65535):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield f"orientation {orientation}", encode(image.rotate(180) if orientation == 3 else image, format, exif=exif)
    yield "a ZIP after its end", encode(image, format) + ZIP
    yield "HTML after its end", encode(image, format) + HTML

"""The result of parsing an image file."""

from typing import NamedTuple

from preprocessing.errors import UndecodableImage


class StrippedImage(NamedTuple):
    """An image file without metadata, its size and its cost.

    ``format`` is Pillow's name of it, ``width`` and ``height`` are those of the stored pixels, ``orientation`` (1 to 8) is
    EXIF's. ``work`` is the cost of decoding, in pixels of an ordinary image. ``parts`` is the number of chunks, segments or
    blocks that were parsed, each of which costs time as well.
    """

    format: str
    data: bytes
    width: int
    height: int
    orientation: int
    work: int
    parts: int


def corrupt_header(name: str) -> UndecodableImage:
    """The error for a file of format ``name`` whose header cannot be parsed."""
    return UndecodableImage(f"The {name} header cannot be read: the file is truncated or corrupt.")

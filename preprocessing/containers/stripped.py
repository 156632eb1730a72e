"""What a walk through an image file gives."""

from typing import NamedTuple

from preprocessing.errors import UndecodableImage


class Stripped(NamedTuple):
    """An image file without metadata, and what it says of its picture.

    ``format`` is Pillow's name of it, ``width`` and ``height`` are those of the stored pixels, ``orientation`` (1 to 8) is how
    EXIF has them turned. ``work`` is what decoding costs, in pixels of an ordinary picture; ``parts`` counts the pieces of the
    file that were walked, each of which costs time as well.
    """

    format: str
    data: bytes
    width: int
    height: int
    orientation: int
    work: int
    parts: int


def corrupt(name: str) -> UndecodableImage:
    """The error of a file of format ``name`` whose container cannot be followed."""
    return UndecodableImage(f"The {name} header cannot be read: the file is truncated or corrupt.")

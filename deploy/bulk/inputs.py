"""The pictures of an input: their listing, the batches it is divided into, and readers of their bytes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deploy.bulk.errors import InputError
from serving.errors import Problem

# ``row`` numbers the pictures from 0 in the order of the output, ``name`` is unique among them, ``size`` is the encoded bytes
# or an estimate. ``part`` and ``index`` say where an input finds the picture, ``path`` is the file as the system names it.
LISTING: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("part", pa.int32()),
        ("index", pa.int64()),
        ("path", pa.binary()),
    ]
)
MAX_NAMED: Final = 3  # duplicate names that an error lists


# Encoded pictures, or the problem of one that cannot be read, in the order of a batch of the listing.
Pictures = Iterator[bytes | Problem]
Read = Callable[[pa.Table], Pictures]


class PictureInput(Protocol):
    """Pictures in a place that every worker can read; pickled to the workers."""

    def listing(self) -> pa.Table:
        """The pictures, as ``LISTING``.

        Raises:
            InputError: the place cannot be read.
        """

    def fingerprint(self, listing: pa.Table) -> str:
        """Changes when a picture is added, removed, renamed or replaced."""

    def reader(self, max_bytes: int) -> Read:
        """Reads batches of the listing lazily; of a picture of more than ``max_bytes`` bytes no more than needed to say so."""


def make_listing(columns: dict[str, Any]) -> pa.Table:
    """A listing of pictures in this order; columns without a value are 0 or null.

    Raises:
        InputError: there are no pictures, or two have the same name.
    """
    names = pa.array(columns["name"], pa.string())
    count = len(names)
    if not count:
        raise InputError("INPUT holds no pictures. Files and folders whose names start with a dot are not read.")
    counted = pc.value_counts(names)
    duplicates = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    if len(duplicates):
        named = ", ".join(repr(name.as_py()) for name in duplicates[:MAX_NAMED])
        raise InputError(f"{len(duplicates):,} names occur more than once in INPUT, for example {named}. Make them unique.")
    zeros = np.zeros(count, np.int64)
    filled = {"row": np.arange(count), "size": zeros, "part": zeros, "index": zeros, "path": pa.nulls(count, pa.binary())}
    filled |= columns | {"name": names}
    return pa.table([pa.array(filled[field.name]).cast(field.type) for field in LISTING], schema=LISTING)


def digest(parts: Iterable[object]) -> str:
    """SHA-256 of values in order, each set off from the next."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(f"{part}\0".encode("utf-8", "surrogateescape"))
    return sha.hexdigest()


def batches(listing: pa.Table, max_pictures: int, max_bytes: int) -> Iterator[pa.Table]:
    """Divide a listing into batches of at most ``max_pictures`` pictures and ``max_bytes`` bytes, or one larger picture; the
    pictures of a batch lie in one part of the input."""
    sizes, parts = listing["size"].to_numpy(), listing["part"].to_numpy()
    ends = np.cumsum(sizes)
    start, count = 0, len(listing)
    while start < count:
        before = ends[start] - sizes[start]
        stop = min(start + max_pictures, int(np.searchsorted(ends, before + max_bytes, "right")))
        stop = min(stop, start + int(np.searchsorted(parts[start:stop], parts[start], "right")))
        stop = max(stop, start + 1)
        yield listing.slice(start, stop - start)
        start = stop


def is_hidden(name: str) -> bool:
    """Whether a path has a component that starts with a dot, or is of the metadata that macOS adds to archives."""
    return any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in name.split("/"))


def unreadable(reason: object) -> Problem:
    """The problem of a picture whose bytes cannot be read; the API has none like it."""
    return Problem("unreadable", f"The file cannot be read: {reason}")

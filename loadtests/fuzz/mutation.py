"""Damages files: bits and bytes changed, pieces deleted, copied or inserted.

The checksums of a PNG are mostly corrected afterwards, so that a decoder gets further than the first of them.
"""

import struct
from collections.abc import Callable
from random import Random
from typing import Final

from loadtests.fuzz.formats import PNG, chunk

# Half of the damage is done to the first bytes, which hold sizes and types.
HEAD: Final = 120
BYTES: Final = (0, 1, 127, 128, 255)
NUMBERS: Final = tuple(struct.pack(">I", number) for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF))


def mutate(data: bytes, rng: Random) -> bytes:
    """Apply one kind of damage, once or many times; a PNG mostly gets correct checksums."""
    content, operation = bytearray(data), rng.choice(OPERATIONS)
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        if not content:
            break
        operation(content, rng.randrange(len(content) if rng.random() < 0.5 else min(len(content), HEAD)), rng)
    return fix_checksums(bytes(content)) if rng.random() < 0.7 else bytes(content)


def fix_checksums(data: bytes) -> bytes:
    """Correct the checksum of every chunk of a PNG; other files are returned as they are."""
    if not data.startswith(PNG):
        return data
    parts, at = [PNG], len(PNG)
    while at + 12 <= len(data) and (end := at + 12 + int.from_bytes(data[at : at + 4], "big")) <= len(data):
        parts.append(chunk(data[at + 4 : at + 8], data[at + 8 : end - 4]))
        at = end
    return b"".join([*parts, data[at:]])


def _overwrite(size: int, values: Callable[[Random], bytes]) -> Callable[[bytearray, int, Random], None]:
    def operation(content: bytearray, at: int, rng: Random) -> None:
        content[at : at + size] = values(rng)

    return operation


def _flip_bit(content: bytearray, at: int, rng: Random) -> None:
    content[at] ^= 1 << rng.randrange(8)


def _delete(content: bytearray, at: int, rng: Random) -> None:
    del content[at : at + rng.choice((1, 4, 100))]


def _copy(content: bytearray, at: int, rng: Random) -> None:
    other = rng.randrange(len(content))
    content[at : at + 16] = content[other : other + 16]


def _truncate(content: bytearray, at: int, _rng: Random) -> None:
    del content[at:]


OPERATIONS: Final = (
    _overwrite(1, lambda rng: bytes((rng.randrange(256),))),
    _overwrite(1, lambda rng: bytes((rng.choice(BYTES),))),
    _flip_bit,
    _overwrite(4, lambda rng: rng.choice(NUMBERS)),
    _delete,
    _overwrite(0, lambda rng: rng.randbytes(rng.choice((1, 4, 50)))),
    _copy,
    _truncate,
)

"""Damages files: bits and bytes changed, pieces deleted, copied or inserted.

The checksums of a PNG are mostly corrected afterwards, so that a decoder gets further than the first of them.
"""

import struct
from collections.abc import Callable
from random import Random
from typing import Final

from loadtests.fuzz.png import PNG, chunk

# Half of the damage is done to the first bytes, which hold sizes and types.
HEAD: Final = 120
BYTES: Final = (0, 1, 127, 128, 255)
NUMBERS: Final = tuple(struct.pack(">I", number) for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF))


def mutate(data: bytes, rng: Random) -> bytes:
    """Apply one kind of damage, once or many times; a PNG mostly gets correct checksums."""
    content, damage = bytearray(data), rng.choice(DAMAGES)
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        if not content:
            break
        at = rng.randrange(len(content) if rng.random() < 0.5 else min(len(content), HEAD))
        length, replacement = damage(content, at, rng)
        content[at : at + length] = replacement
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


def _copied(content: bytearray, _at: int, rng: Random) -> tuple[int, bytes]:
    other = rng.randrange(len(content))
    return 16, bytes(content[other : other + 16])


# What each kind of damage replaces at an offset: a number of bytes, and what takes their place.
DAMAGES: Final[tuple[Callable[[bytearray, int, Random], tuple[int, bytes]], ...]] = (
    lambda _content, _at, rng: (1, bytes((rng.randrange(256),))),
    lambda _content, _at, rng: (1, bytes((rng.choice(BYTES),))),
    lambda content, at, rng: (1, bytes((content[at] ^ 1 << rng.randrange(8),))),  # one bit
    lambda _content, _at, rng: (4, rng.choice(NUMBERS)),
    lambda _content, _at, rng: (rng.choice((1, 4, 100)), b""),  # deleted
    lambda _content, _at, rng: (0, rng.randbytes(rng.choice((1, 4, 50)))),  # inserted
    _copied,
    lambda content, _at, _rng: (len(content), b""),  # cut off
)

"""Damage to files: bits, bytes, pieces lost, doubled or put in. The checksums of a PNG are mostly made right again, so that its
decoder goes deeper than the first of them."""

import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
# Half of the damage is done to the first bytes, where sizes and kinds are told.
HEAD: Final = 120
BYTES: Final = (0, 1, 127, 128, 255)
NUMBERS: Final = tuple(struct.pack(">I", number) for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF))


def damaged(data: bytes, hand: Random) -> bytes:
    """The file with one kind of damage, once or many times; where it is a PNG, mostly with checksums that fit."""
    content, damage = bytearray(data), hand.choice(DAMAGES)
    for _ in range(hand.choice((1, 1, 2, 8, 40))):
        if not content:
            break
        damage(content, hand.randrange(len(content) if hand.random() < 0.5 else min(len(content), HEAD)), hand)
    return checked(bytes(content)) if hand.random() < 0.7 else bytes(content)


def checked(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums that their content calls for; anything else as it is."""
    if not data.startswith(PNG):
        return data
    parts, at = [PNG], len(PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length > len(data) - at - 12:
            break
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at += 12 + length
    return b"".join([*parts, data[at:]])


def _any_byte(content: bytearray, at: int, hand: Random) -> None:
    content[at] = hand.randrange(256)


def _edge_byte(content: bytearray, at: int, hand: Random) -> None:
    content[at] = hand.choice(BYTES)


def _bit(content: bytearray, at: int, hand: Random) -> None:
    content[at] ^= 1 << hand.randrange(8)


def _number(content: bytearray, at: int, hand: Random) -> None:
    content[at : at + 4] = hand.choice(NUMBERS)


def _lose(content: bytearray, at: int, hand: Random) -> None:
    del content[at : at + hand.choice((1, 4, 100))]


def _insert(content: bytearray, at: int, hand: Random) -> None:
    content[at:at] = hand.randbytes(hand.choice((1, 4, 50)))


def _copy(content: bytearray, at: int, hand: Random) -> None:
    other = hand.randrange(len(content))
    content[at : at + 16] = content[other : other + 16]


def _cut_off(content: bytearray, at: int, _hand: Random) -> None:
    del content[at:]


DAMAGES: Final[tuple[Callable[[bytearray, int, Random], None], ...]] = (
    _any_byte, _edge_byte, _bit, _number, _lose, _insert, _copy, _cut_off,
)  # fmt: skip

"""Builds image files whose structure only these tests need; ``loadtests.fuzz.formats`` and ``png`` build the others."""

import struct
from collections.abc import Iterable

from PIL import Image

from loadtests.fuzz.formats import SHORT, riff, riff_chunk
from loadtests.fuzz.formats import exif as encode_exif
from loadtests.images import ORIENTATION


def colours(width: int = 31, height: int = 17) -> Image.Image:
    """An image whose pixels all differ, so that all orientations differ."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.linear_gradient("L").rotate(90).resize((width, height))
    return Image.merge("RGB", (red, green, Image.radial_gradient("L").resize((width, height))))


def exif(orientation: int, order: str = ">", kind: int = SHORT, tags: int = 0, count: int = 1) -> bytes:
    """EXIF without its prefix, with ``tags`` other tags before the orientation, in either byte order."""
    entries = [(0x0100, SHORT, 1, bytes(4))] * tags
    value = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], orientation).ljust(4, b"\0")
    return encode_exif([*entries, (ORIENTATION, kind, count, value)], order)


def webp_with(webp: bytes, size: tuple[int, int], ahead: Iterable[bytes] = (), behind: Iterable[bytes] = ()) -> bytes:
    """A simple WebP extended by a canvas of its ``size``, and by chunks before and after its image."""
    canvas = bytes((0x2C, 0, 0, 0)) + b"".join(struct.pack("<I", side - 1)[:3] for side in size)
    return riff(riff_chunk(b"VP8X", canvas), *ahead, webp[12:], *behind)


def extension(label: int, *pieces: bytes) -> bytes:
    """An extension of a GIF, in sub-blocks of at most 255 bytes."""
    return bytes((0x21, label)) + b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


class Bits:
    """Writes numbers of any bit length, lowest bit first."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def write(self, *pairs: tuple[int, int]) -> None:
        """Numbers, each with its length in bits."""
        for number, count in pairs:
            self._bits += [number >> place & 1 for place in range(count)]

    def data(self) -> bytes:
        """All that was written."""
        bits = self._bits + [0] * (-len(self._bits) % 8)
        return bytes(sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


def many_codes(width: int, height: int, sets: int, *, header: bool = True) -> bytes:
    """A lossless WebP stream of one colour whose blocks of 4x4 pixels use so many sets of prefix codes, in turn."""
    bits = Bits()
    if header:
        bits.write((0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 4))
    bits.write((0, 1), (0, 1), (1, 1), (0, 3), (0, 1))  # no transform, no cache, sets by blocks of 4x4, no cache there
    only = ((1, 1), (0, 1), (0, 1), (0, 1))
    eights = ((0, 1), (8, 4), *[(0, 3)] * 11, (1, 3))  # a code whose symbols all have eight bits
    bits.write(*eights, (1, 1), (3, 3), (254, 8), *eights, (0, 1), *only * 3)
    turned = [int(f"{number:08b}"[::-1], 2) for number in range(256)]
    blocks = -(-width // 4) * -(-height // 4)
    bits.write(*((turned[number % sets >> place & 255], 8) for number in range(blocks) for place in (0, 8)))
    bits.write(*only * 5 * sets)
    return bits.data() + bytes(16)

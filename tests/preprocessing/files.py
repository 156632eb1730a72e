"""Builds image files with any metadata and structure."""

import io
import struct
import zlib
from collections.abc import Iterable

from PIL import Image


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    """An image as a file of a format, with Pillow's options."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def colours(width: int = 31, height: int = 17) -> Image.Image:
    """An image whose pixels all differ, so that all orientations differ."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.linear_gradient("L").rotate(90).resize((width, height))
    return Image.merge("RGB", (red, green, Image.radial_gradient("L").resize((width, height))))


def exif(orientation: int, order: str = ">", kind: int = 3, tags: int = 0, count: int = 1) -> bytes:
    """EXIF without its prefix, with ``tags`` other tags before the orientation, in either byte order."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    entries = b"".join(struct.pack(f"{order}HHII", 0x0100, 3, 1, 0) for _ in range(tags))
    value = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], orientation).ljust(4, b"\0")
    entry = struct.pack(f"{order}HHI", 0x0112, kind, count) + value
    return mark + struct.pack(f"{order}IH", 8, tags + 1) + entries + entry + bytes(4)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """A chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(png: bytes, ahead: Iterable[bytes] = (), behind: Iterable[bytes] = ()) -> bytes:
    """A PNG with chunks after its header and before its end."""
    return png[:33] + b"".join(ahead) + png[33:-12] + b"".join(behind) + png[-12:]


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(jpeg: bytes, *segments: bytes) -> bytes:
    """A JPEG with these segments after its first, which is JFIF's."""
    at = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:at] + b"".join(segments) + jpeg[at:]


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a WebP, padded."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def webp_with(webp: bytes, size: tuple[int, int], ahead: Iterable[bytes] = (), behind: Iterable[bytes] = ()) -> bytes:
    """A simple WebP extended by a canvas of its ``size``, and by chunks before and after its image."""
    canvas = bytes((0x2C, 0, 0, 0)) + b"".join(struct.pack("<I", side - 1)[:3] for side in size)
    body = b"WEBP" + riff_chunk(b"VP8X", canvas) + b"".join(ahead) + webp[12:] + b"".join(behind)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_with(gif: bytes, *extensions: bytes) -> bytes:
    """A GIF with extensions after its palette."""
    at = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    return gif[:at] + b"".join(extensions) + gif[at:]


def extension(label: int, *pieces: bytes) -> bytes:
    """An extension of a GIF, in sub-blocks of at most 255 bytes."""
    return bytes((0x21, label)) + b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def bmp(
    pixels: bytes, width: int, height: int, bits: int, *, header: int = 40, compression: int = 0, palette: bytes = b""
) -> bytes:
    """A BMP from its parts; a negative ``height`` stores the rows from the top."""
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
        head = head.ljust(header, b"\0")
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(pixels), 0, start) + head + palette + pixels


def progressive(image: Image.Image, scans: int) -> bytes:
    """A progressive JPEG with so many more scans, copies of the last one."""
    data = saved(image, "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * scans + data[-2:]


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


def riff(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body

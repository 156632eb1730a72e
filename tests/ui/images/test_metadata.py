"""Metadata of image files: it is stripped and the orientation read quickly, however much there is."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.cost import relative_cost
from tests.support.pictures import encoded
from ui.images import metadata
from ui.images.media_types import media_type
from ui.images.resize import preview, shrink_to_limits

MAX_COST = 10
TAGS = 65_535
SMALL = Image.new("L", (64, 32), 200)


def exif(order: str = "<", tags: int = TAGS, orientation: int = 6, *, loops: bool = False) -> bytes:
    """Return EXIF data with `tags` tags, the orientation first; with `loops`, all others point back at the directory."""
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    first = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    rest = b"".join(struct.pack(f"{order}HHII", 0x8000 + tag % 0x7000, 7 if loops else 1, 60_000, 8) for tag in range(tags - 1))
    return mark + struct.pack(f"{order}IH", 8, tags) + first + rest + bytes(4)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with extra chunks after its header."""
    data = encoded(SMALL)
    packed = (struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)
    return data[:33] + b"".join(packed) + data[33:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG with extra segments before its own."""
    data = encoded(SMALL, "JPEG")
    return (
        data[:2] + b"".join(bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body for mark, body in segments) + data[2:]
    )


def webp(exif: bytes) -> bytes:
    """Return a WebP with EXIF data after its pixels."""
    image = encoded(SMALL, "WEBP")[12:]
    size = struct.pack("<I", SMALL.width - 1)[:3] + struct.pack("<I", SMALL.height - 1)[:3]
    chunks = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + size + image
    chunks += b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


METADATA: dict[str, Callable[[], bytes]] = {
    "png": lambda: png((b"eXIf", exif())),
    "png, tags that point back": lambda: png((b"eXIf", exif(loops=True))),
    "png, big-endian": lambda: png((b"eXIf", exif(">"))),
    "webp": lambda: webp(exif()),
    "webp, tags that point back": lambda: webp(exif(loops=True)),
    "jpeg": lambda: jpeg((0xE1, b"Exif\0\0" + exif(tags=5000))),
    "jpeg, many segments": lambda: jpeg(*[(0xE1, b"Exif\0\0" + exif(tags=5000))] * 100),
    "jpeg, many pictures": lambda: jpeg((0xE1, b"Exif\0\0" + exif(tags=8)), (0xE2, b"MPF\0" + exif(tags=5000)[:60_000])),
    "png, profile": lambda: png((b"iCCP", b"x\0\0" + zlib.compress(bytes(20_000_000))), (b"eXIf", exif(tags=1))),
    "png, profiles": lambda: png(*[(b"iCCP", b"x\0\0" + zlib.compress(bytes(900_000)))] * 1000, (b"eXIf", exif(tags=1))),
    "png, texts": lambda: png(*[(b"zTXt", b"x\0\0" + zlib.compress(bytes(900_000)))] * 60, (b"eXIf", exif(tags=1))),
    "jpeg, profile": lambda: jpeg((0xE1, b"Exif\0\0" + exif(tags=1)), *[(0xE2, b"ICC_PROFILE\0\1\1" + bytes(60_000))] * 200),
}


@pytest.mark.parametrize("name", METADATA)
def test_picture_with_much_metadata_is_decoded_quickly(name: str) -> None:
    data = METADATA[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = preview(data)
        assert small is not None
        assert Image.open(io.BytesIO(small)).size == (32, 64)  # rotated by 90 degrees
        assert Image.open(io.BytesIO(shrink_to_limits(data, 2**30, 2**22, 2**24, 60))).size == (30, 60)
        assert relative_cost(lambda: preview(data)) < MAX_COST


def test_picture_with_too_many_parts_has_no_preview() -> None:
    nothing = jpeg(*[(0xFE, b"")] * 110_000)
    blocks = encoded(SMALL, "GIF")[:25] + b"\x21\xfe" + b"\x01x" * 2_000_000
    empty = blocks[:25] + b"\x21\xfe\x00" * 200_000
    for data in (png(*[(b"none", b"")] * 110_000), nothing, blocks, empty):
        assert preview(data) is None
        assert relative_cost(lambda data=data: preview(data)) < 6 * MAX_COST  # type: ignore[misc]


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_in_both_byte_orders(order: str, orientation: int) -> None:
    expected = orientation if 1 <= orientation <= 8 else 1
    for data in (exif(order, 3, orientation), b"Exif\0\0" + exif(order, 3, orientation)):
        assert metadata.exif_orientation(data) == expected


@pytest.mark.parametrize("data", [b"", b"II*\0", b"XX*\0" + bytes(20), b"II*\0\xff\xff\xff\xff", exif(tags=TAGS)[:15]])
def test_damaged_exif_data_means_orientation_1(data: bytes) -> None:
    assert metadata.exif_orientation(data) == 1


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.integers(0, 400), st.binary(max_size=40))
def test_any_bytes_give_a_valid_orientation_or_an_error(format: str, cut: int, rest: bytes) -> None:
    data = encoded(SMALL, format)[:cut] + rest
    try:
        _, orientation = metadata.strip_metadata(data, media_type(data))
    except (ValueError, IndexError, struct.error):
        return
    assert 1 <= orientation <= 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_stripping_does_not_change_pixels(mode: str) -> None:
    image = Image.radial_gradient("L").resize((40, 30)).convert("RGB").convert("L" if mode == "I;16" else mode)
    image = image.convert(mode) if mode == "I;16" else image
    for format in ("JPEG",) if mode == "CMYK" else ("PNG",) if mode in ("LA", "I;16") else ("PNG", "JPEG", "GIF", "WEBP"):
        if format == "JPEG" and mode in ("P", "RGBA"):
            continue
        data = encoded(image, format)
        left, orientation = metadata.strip_metadata(data, media_type(data))
        before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(left))
        assert (before.mode, before.tobytes(), orientation) == (after.mode, after.tobytes(), 1)

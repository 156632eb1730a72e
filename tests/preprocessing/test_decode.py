import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocessing import ImageError, ImageTooLarge, UndecodableImage, UnsupportedImage, decode
from preprocessing.decode import image_format
from tests.pictures import WHITE, digit, encoded

MAX_PIXELS = 1_000_000
SEVEN = encoded(digit("7"))


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds no pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_formats_are_told_by_content(format: str) -> None:
    image = digit("7").convert("RGB")
    data = encoded(image, format)
    assert image_format(data) == format
    assert decode(data, max_pixels=MAX_PIXELS).size == image.size


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"%PDF-1.7", b"http://127.0.0.1/7.png", encoded(digit("7").convert("P"), "GIF")]
)
def test_other_content_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="PNG, JPEG or WebP"):
        decode(data, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_truncated_files_are_undecodable(format: str) -> None:
    data = encoded(digit("7").convert("RGB"), format)
    with pytest.raises(UndecodableImage, match="truncated or corrupt"):
        decode(data[: len(data) // 2], max_pixels=MAX_PIXELS)


def test_palette_colours_without_a_palette_are_undecodable() -> None:
    header = struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b"")
    with pytest.raises(UndecodableImage, match="truncated or corrupt"):
        decode(png, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_pixels_are_limited_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="1,000,000 pixels"):
        decode(png_header(width, height), max_pixels=MAX_PIXELS)


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("L", (20, 20), level) for level in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    image = decode(buffer.getvalue(), max_pixels=MAX_PIXELS)
    assert image.convert("L").getpixel((5, 5)) == 10


def test_a_large_photo_is_decoded_at_a_fraction_of_its_size() -> None:
    image = decode(encoded(Image.new("RGB", (4000, 3000), "white"), "JPEG"), max_pixels=12_000_000)
    assert image.size == (500, 375)
    assert image.mode == "L"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(format: str, orientation: int) -> None:
    upright = digit("7", paper=WHITE).convert("RGB")
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE"}
    stored = upright.transpose(Image.Transpose[{**turns, 8: "ROTATE_270"}[orientation]]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, format, exif=exif)
    image = decode(buffer.getvalue(), max_pixels=MAX_PIXELS).convert("L")
    difference = np.asarray(image, dtype=int) - np.asarray(upright.convert("L"), dtype=int)
    assert np.abs(difference).mean() < 3


@given(st.binary(max_size=64), st.integers(0, len(SEVEN)), st.integers(0, 8))
def test_damaged_bytes_never_raise_anything_else(noise: bytes, place: int, cut: int) -> None:
    data = SEVEN[:place] + noise + SEVEN[place + cut :]
    try:
        image = decode(data, max_pixels=MAX_PIXELS)
    except ImageError:
        return
    assert image.width * image.height <= MAX_PIXELS

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from loadtests.fuzz.formats import bmp, progressive
from loadtests.fuzz.png import chunk
from preprocessing import FORMATS, ImageError, ImageLimits, ImageTooLarge, UndecodableImage, decode, inspect
from tests.support.pictures import WHITE, digit, encoded

LIMITS = ImageLimits(pixels=1_000_000, photo_pixels=12_000_000, side=30_000)
SEVEN = encoded(digit("7"))


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds no pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.mark.parametrize("format", FORMATS)
def test_format_is_detected_from_content(format: str) -> None:
    image = digit("7").convert("RGB")
    data = encoded(image, format)
    assert inspect(data).format == format
    assert decode(data, LIMITS).size == image.size


@pytest.mark.parametrize("format", FORMATS)
def test_truncated_files_are_undecodable(format: str) -> None:
    data = encoded(digit("7").convert("RGB"), format)
    with pytest.raises(UndecodableImage, match="truncated or corrupt"):
        decode(data[: len(data) // 2], LIMITS)


def test_palette_image_without_a_palette_is_undecodable() -> None:
    header = struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b"")
    with pytest.raises(UndecodableImage, match="truncated or corrupt"):
        decode(png, LIMITS)


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_pixels_are_limited_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="1,000,000 pixels"):
        decode(png_header(width, height), LIMITS)


@pytest.mark.parametrize("size", [(8193, 1), (1, 8193)])
def test_sides_are_limited(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLarge, match="8,192 pixels a side"):
        decode(encoded(Image.new("L", size)))
    width, height = size
    assert decode(encoded(Image.new("L", (min(width, 8192), min(height, 8192))))).size != size


def test_jpeg_has_a_higher_pixel_limit() -> None:
    image = Image.new("L", (2000, 1000))
    assert decode(encoded(image, "JPEG"), LIMITS).size == (1000, 500)
    for format in ("PNG", "WEBP"):
        with pytest.raises(ImageTooLarge, match=f"1,000,000 pixels of a {format}"):
            decode(encoded(image, format), LIMITS)
    with pytest.raises(ImageTooLarge, match="12,000,000 pixels of a JPEG"):
        decode(encoded(Image.new("L", (4001, 3000)), "JPEG"), LIMITS)


def bombs() -> dict[str, bytes]:
    """Files of a few bytes whose images would take gigabytes."""
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, 65_535, 65_535, 0) + b"\x02\x01\0\0"
    small = struct.pack("<BHHHHB", 0x2C, 65_000, 65_000, 9, 9, 0) + b"\x02\x01\0\0"
    canvas = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    lossless = b"WEBPVP8L" + struct.pack("<IB", 5, 0x2F) + b"\xff\xff\xff\x0f"
    return {
        "GIF, its screen": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + frame,
        "GIF, its first frame": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame,
        "GIF, where its first frame lies": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + small,
        "BMP": bmp(b"", 2**31 - 1, 2**31 - 1, 24),
        "BMP from its top": bmp(b"", 60_000, -60_000, 1),
        "BMP of OS/2": bmp(b"", 65_535, 65_535, 1, header=12),
        "BMP of runs": bmp(bytes(100), 30_000, 30_000, 8, compression=1),
        "WebP": b"RIFF" + struct.pack("<I", len(canvas)) + canvas,
        "WebP, lossless": b"RIFF" + struct.pack("<I", len(lossless)) + lossless,
        "PNG": png_header(2**31 - 1, 2**31 - 1),
        "JPEG": b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(9),
    }


@pytest.mark.parametrize("name", bombs())
def test_decompression_bombs_are_rejected_before_allocation(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLarge, match="pixels"):
            decode(bombs()[name], LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("more", "readable"), [(0, True), (30, True), (60, False), (5000, False)])
def test_jpeg_with_too_many_scans_is_rejected(more: int, readable: bool) -> None:
    many = progressive(Image.new("L", (64, 64), 128), more)
    if readable:
        assert decode(many).size == (64, 64)
    else:
        with pytest.raises(UndecodableImage, match="more than 64 scans"):
            decode(many)


def test_pixels_times_scans_are_limited() -> None:
    large = Image.new("L", (4096, 4096), 128)
    few, many = progressive(large, 6), progressive(large, 20)
    assert len(many) < 200_000
    assert decode(few).size == (512, 512)
    with pytest.raises(ImageTooLarge, match=r"4096x4096, and its scans take as long.*not a progressive one"):
        decode(many)
    assert decode(many, ImageLimits(photo_pixels=40_000_000)).size == (512, 512)


@pytest.mark.parametrize("size", [(4032, 3024), (4096, 4096)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_progressive_photos_within_the_limit_are_accepted(size: tuple[int, int], subsampling: str) -> None:
    photo = encoded(Image.new("RGB", size, "teal"), "JPEG", progressive=True, subsampling=subsampling)
    found = inspect(photo)
    assert found.work <= ImageLimits().photo_pixels
    assert photo.count(b"\xff\xda") == 10


def test_expensive_run_length_encoding_is_rejected() -> None:
    assert decode(bmp(b"\x40\x07\0\0" * 64, 64, 64, 8, compression=1, palette=bytes(1024))).size == (64, 64)
    with pytest.raises(ImageTooLarge, match=r"64x64, and its runs take as long.*Send a smaller one, or save it as PNG"):
        decode(bmp(b"\0\0" * 300_000, 64, 64, 8, compression=1, palette=bytes(1024)))
    with pytest.raises(ImageTooLarge, match="1100x1000, and its runs take as long"):
        decode(bmp(b"\1\7\0\0" * 1000, 1100, 1000, 8, compression=1, palette=bytes(1024)))


def test_animation_is_decoded_as_its_first_frame() -> None:
    frames = [Image.new("L", (20, 20), level) for level in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    image = decode(buffer.getvalue(), LIMITS)
    assert image.convert("L").getpixel((5, 5)) == 10


def test_large_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    image = decode(encoded(Image.new("RGB", (4000, 3000), "white"), "JPEG"), LIMITS)
    assert image.size == (500, 375)
    assert image.mode == "L"


def test_jpeg_with_further_images_is_decoded_like_a_plain_one() -> None:
    page = Image.new("RGB", (2000, 1600), "white")
    page.paste("black", (500, 300, 700, 900))
    buffer = io.BytesIO()
    page.save(buffer, "MPO", save_all=True, append_images=[page.rotate(90)])
    assert Image.open(io.BytesIO(buffer.getvalue())).format == "MPO"
    decoded = decode(buffer.getvalue(), LIMITS)
    assert decoded.tobytes() == decode(encoded(page, "JPEG"), LIMITS).tobytes()
    assert decoded.size == (500, 400)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    upright = digit("7", paper=WHITE).convert("RGB")
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE"}
    stored = upright.transpose(Image.Transpose[{**turns, 8: "ROTATE_270"}[orientation]]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, format, exif=exif)
    image = decode(buffer.getvalue(), LIMITS).convert("L")
    difference = np.asarray(image, dtype=int) - np.asarray(upright.convert("L"), dtype=int)
    assert np.abs(difference).mean() < 3


@given(st.binary(max_size=64), st.integers(0, len(SEVEN)), st.integers(0, 8))
def test_damaged_files_raise_only_image_errors(noise: bytes, place: int, cut: int) -> None:
    data = SEVEN[:place] + noise + SEVEN[place + cut :]
    try:
        image = decode(data, LIMITS)
    except ImageError:
        return
    assert image.width * image.height <= LIMITS.pixels

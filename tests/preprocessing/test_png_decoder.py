"""Plain PNG files are decoded by kornia-rs, to the pixels that Pillow finds; everything else by Pillow."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kornia_rs import io as io_of_kornia
from PIL import Image

from preprocessing import StrippedImage, UndecodableImage, decode_stripped, inspect
from preprocessing.decode import load, open_stripped
from preprocessing.png_decoder import MAX_BYTES, MAX_PIXELS, decode_plain, is_plain


def png(image: Image.Image, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def noise(mode: str, width: int, height: int, seed: int = 0) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(levels[..., 0] if channels == 1 else levels)


def by_pillow(found: StrippedImage) -> Image.Image:
    return load(open_stripped(found), found.orientation)


@given(
    mode=st.sampled_from(("L", "RGB", "RGBA")),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    seed=st.integers(0, 2**32 - 1),
    smooth=st.booleans(),
    level=st.integers(0, 9),
)
def test_pixels_are_those_of_pillow(mode: str, width: int, height: int, seed: int, smooth: bool, level: int) -> None:
    image = noise(mode, width, height, seed)
    if smooth:  # so that the encoder uses other filters
        image = image.resize((7, 5)).resize((width, height))
    found = inspect(png(image, compress_level=level))
    assert is_plain(found)
    decoded = decode_plain(found)
    assert decoded is not None
    expected = by_pillow(found)
    assert (decoded.mode, decoded.size) == (expected.mode, expected.size) == (mode, (width, height))
    assert np.array_equal(np.asarray(decoded), np.asarray(expected))


def test_an_image_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    noise("L", 30, 20).save(buffer, "PNG", exif=exif)
    found = inspect(buffer.getvalue())
    assert is_plain(found)
    assert np.array_equal(np.asarray(decode_stripped(found)), np.asarray(by_pillow(found)))
    assert decode_stripped(found).size == (20, 30)


def palette() -> bytes:
    return png(noise("RGB", 40, 30).quantize(16))


def interlaced() -> bytes:
    """A grey PNG of one pixel, which has a single pass."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x80")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.mark.parametrize(
    "make",
    [
        palette,
        interlaced,
        lambda: png(noise("L", 40, 30).convert("1")),
        lambda: png(Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40))),
        lambda: png(noise("LA", 40, 30)),
        lambda: _with_transparent_colour(),
        lambda: png(Image.new("L", (MAX_PIXELS // 1000 + 1, 1000))),
        lambda: png(noise("L", 600, MAX_BYTES // 600 + 1)),
    ],
    ids=["palette", "interlaced", "1 bit", "16 bits", "grey and alpha", "transparent colour", "many pixels", "many bytes"],
)
def test_other_files_are_left_to_pillow(make: Callable[[], bytes]) -> None:
    found = inspect(make())
    assert not is_plain(found)
    assert np.array_equal(np.asarray(decode_stripped(found)), np.asarray(by_pillow(found)))


def _with_transparent_colour() -> bytes:
    buffer = io.BytesIO()
    noise("RGB", 40, 30).save(buffer, "PNG", transparency=(1, 2, 3))
    return buffer.getvalue()


def test_a_jpeg_is_not_plain() -> None:
    buffer = io.BytesIO()
    noise("L", 40, 30).save(buffer, "JPEG")
    assert not is_plain(inspect(buffer.getvalue()))


@pytest.mark.parametrize(("fault", "is_passed_on"), [("PanicException", False), ("Interrupted", True)])
def test_a_fault_of_the_decoder_leaves_the_file_to_pillow(
    monkeypatch: pytest.MonkeyPatch, fault: str, is_passed_on: bool
) -> None:
    error = type(fault, (BaseException,), {})

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(io_of_kornia, "decode_image_png_u8", fail)
    found = inspect(png(noise("L", 20, 15)))
    if is_passed_on:
        with pytest.raises(error):
            decode_stripped(found)
    else:
        assert np.array_equal(np.asarray(decode_stripped(found)), np.asarray(by_pillow(found)))


@given(data=st.data(), mode=st.sampled_from(("L", "RGB", "RGBA")))
def test_a_damaged_file_has_pixels_or_the_error_of_pillow(data: st.DataObject, mode: str) -> None:
    """Nothing but ``UndecodableImage`` is raised, whatever byte is wrong; where both decode it, they agree."""
    content = bytearray(png(noise(mode, 20, 15)))
    place = data.draw(st.integers(41, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(60, len(content))) :]
    found = inspect(bytes(content))
    decoded = decode_plain(found) if is_plain(found) else None
    try:
        expected = by_pillow(found)
    except UndecodableImage:
        if decoded is None:
            with pytest.raises(UndecodableImage, match="truncated or corrupt"):
                decode_stripped(found)
    else:
        if decoded is not None:
            assert np.array_equal(np.asarray(decoded), np.asarray(expected))

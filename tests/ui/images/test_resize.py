"""Media types, previews, thumbnails, and shrinking of images that exceed the limits."""

import io
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures import WHITE, digit, encoded
from tests.ui.fake_service import JPEG, PNG, WEBP
from ui.images import resize
from ui.images.media_types import UNKNOWN, media_type
from ui.images.resize import PREVIEW_SIDE, preview, shrink_to_limits, upright_size


def open_preview(data: bytes) -> Image.Image:
    small = preview(data)
    assert small is not None
    assert media_type(small) == "image/webp"
    return Image.open(io.BytesIO(small))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (WEBP, "image/webp"),
        (encoded(Image.new("L", (8, 8)), "GIF"), "image/gif"),
        (encoded(Image.new("L", (8, 8)), "BMP"), "image/bmp"),
        (b"GIF88a", UNKNOWN),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_media_type_is_detected_from_the_content(data: bytes, kind: str) -> None:
    assert media_type(data) == kind


GIF, BMP = (encoded(digit("7", paper=WHITE).convert("RGB"), format) for format in ("GIF", "BMP"))


@pytest.mark.parametrize("data", [PNG, JPEG, WEBP, GIF, BMP])
def test_preview_of_a_small_picture_keeps_its_size(data: bytes) -> None:
    assert open_preview(data).size == (280, 280)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_preview_of_a_large_picture_is_small_and_upright(kind: str) -> None:
    rotated = Image.new("RGB", (2000, 1000), "white")
    rotated.paste("red", (0, 0, 1000, 1000))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise: the left side becomes the top
    file = io.BytesIO()
    rotated.save(file, kind, exif=exif)
    upright = open_preview(file.getvalue()).convert("RGB")
    assert upright.size == (PREVIEW_SIDE // 2, PREVIEW_SIDE)
    assert upright_size(file.getvalue()) == (1000, 2000)
    green = np.asarray(upright)[:, :, 1]
    assert green[: PREVIEW_SIDE // 2 - 20].max() < 50
    assert green[PREVIEW_SIDE // 2 + 20 :].min() > 200


def test_size_of_a_picture_is_that_of_the_file() -> None:
    assert upright_size(PNG) == (280, 280)
    assert upright_size(encoded(Image.new("RGB", (600, 200)), "JPEG")) == (600, 200)
    assert upright_size(b"no picture") is None


def test_preview_keeps_transparency() -> None:
    assert open_preview(PNG).mode == "RGBA"
    assert open_preview(encoded(Image.new("L", (50, 50)))).mode == "RGB"


def test_picture_with_too_many_pixels_has_no_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "MAX_PIXELS", 280 * 280 - 1)
    assert preview(PNG) is None


def test_picture_with_a_huge_size_in_its_header_has_no_preview() -> None:
    # A small PNG whose header says 12,000 x 12,000 pixels, which Pillow warns of, and one with more, which it refuses.
    for side in (12_000, 20_000):
        assert preview(PNG[:16] + side.to_bytes(4, "big") * 2 + PNG[24:]) is None


@given(st.sampled_from([PNG, JPEG, WEBP, GIF, BMP]), st.integers(0, 5000), st.binary(max_size=20))
def test_preview_of_any_bytes_is_a_webp_or_none(picture: bytes, cut: int, rest: bytes) -> None:
    small = preview(picture[:cut] + rest)
    assert small is None or media_type(small) == "image/webp"


def test_damaged_data_has_no_preview() -> None:
    assert preview(b"no picture") is None
    assert preview(b"\x89PNG\r\n\x1a\n" + os.urandom(100)) is None


LIMITS = (2**20, 2**22, 2**24, 2**13)


def noise(width: int, height: int) -> Image.Image:
    """Return an image of random noise, which no format compresses."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_picture_within_the_limits_is_unchanged() -> None:
    for data in (PNG, JPEG, WEBP, GIF, BMP, b"no picture", b""):
        assert shrink_to_limits(data, *LIMITS) == data


@pytest.mark.parametrize(
    ("image", "format"),
    [
        (noise(1500, 1000), "PNG"),  # too many bytes
        (noise(2000, 1500), "JPEG"),
        (Image.new("L", (5000, 4000)), "JPEG"),  # too many pixels
        (Image.new("L", (2100, 2000)), "PNG"),
        (Image.new("L", (9000, 10)), "PNG"),  # too long
        (Image.new("RGBA", (2100, 2000), (0, 0, 0, 0)), "WEBP"),
        (noise(800, 600), "BMP"),
        (Image.new("P", (2100, 2000)), "GIF"),
    ],
)
def test_picture_over_a_limit_is_shrunk(image: Image.Image, format: str) -> None:
    data = encoded(image, format)
    sent = shrink_to_limits(data, *LIMITS)
    small = Image.open(io.BytesIO(sent))
    assert len(sent) <= 2**20 and max(small.size) <= 1600
    assert small.width / small.height == pytest.approx(image.width / image.height, rel=0.3 if min(image.size) < 100 else 0.01)
    assert small.has_transparency_data == image.has_transparency_data


def test_preview_of_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("L", (30, 20), level) for level in (250, 10)]
    for format in ("GIF", "PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, format, save_all=True, append_images=frames[1:], duration=100)
        assert np.asarray(open_preview(buffer.getvalue()).convert("L")).min() > 240


def test_picture_that_takes_long_to_decode_is_unchanged() -> None:
    side = 1500
    rows = b"".join(b"\x01\x05" * side + b"\x00\x00" for _ in range(side))  # a run for every pixel
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(rows), 0, 0, 256, 0)
    bmp = b"BM" + struct.pack("<IHHI", 54 + 1024 + len(rows), 0, 0, 54 + 1024) + head + bytes(1024) + rows
    assert shrink_to_limits(bmp, 2**24, *LIMITS[1:]) == bmp and preview(bmp) is None
    scans = JPEG + b"\xff\xda" * 10_000
    assert preview(scans) is None


def test_shrunk_photo_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("L", (5000, 4000)).save(buffer, "JPEG", exif=exif)
    assert Image.open(io.BytesIO(shrink_to_limits(buffer.getvalue(), *LIMITS))).size == (1280, 1600)


def test_damaged_picture_over_a_limit_is_unchanged() -> None:
    broken = encoded(noise(1500, 1000))[:2_000_000]
    assert shrink_to_limits(broken, *LIMITS) == broken


def test_thumbnail_is_at_most_96_pixels_a_side() -> None:
    small = resize.thumbnail(encoded(Image.new("RGB", (2000, 1000), "red")))
    assert small is not None
    assert Image.open(io.BytesIO(small)).size == (96, 48)
    assert resize.thumbnail(b"no picture") is None

"""Metadata removal changes no pixel, finds the orientation, and takes bounded time."""

import io
import random
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from loadtests.fuzz.formats import bmp, gif_with, jpeg_with, progressive, riff_chunk, segment
from loadtests.fuzz.png import chunk, png_with
from loadtests.images import encode
from preprocessing import ImageError, UndecodableImage, decode, inspect, strip_metadata
from preprocessing.containers import exif as exif_module
from preprocessing.containers import gif, jpeg, png, webp
from preprocessing.decode import DRAFT_SIDE
from tests.preprocessing.files import colours, exif, extension, webp_with
from tests.support.cost import relative_cost
from tests.support.pictures import digit

IMAGE = colours()
PNG = encode(IMAGE, "PNG")
JPEG = encode(IMAGE, "JPEG")
WEBP = encode(IMAGE, "WEBP", lossless=True)
GIF = encode(IMAGE, "GIF")
BMP = encode(IMAGE, "BMP")
FILES = {"PNG": PNG, "JPEG": JPEG, "WEBP": WEBP, "GIF": GIF, "BMP": BMP}
# What every file here may cost: a hundredth of what the worst of them costs Pillow.
MAX_COST = 20

some = st.binary(max_size=200)
ancillary = st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"pHYs", b"tIME", b"sRGB", b"prVt", b"eXIf"])
texts = st.sampled_from(
    [b"k\0v", b"k\0\0" + zlib.compress(b"long " * 99), b"k\0\0\0\0\0v", b"", bytes(40), exif(3), b"Exif\0\0" + exif(6)]
)
png_chunks = st.lists(st.builds(chunk, ancillary, st.one_of(some, texts)), max_size=6)
jpeg_segments = st.lists(
    st.one_of(
        st.builds(segment, st.sampled_from([*range(0xE1, 0xEE), 0xEF, 0xFE]), some),
        st.builds(lambda content: segment(0xE1, b"Exif\0\0" + content), st.one_of(some, st.builds(exif, st.integers(0, 9)))),
        st.builds(lambda content: segment(0xE2, b"ICC_PROFILE\0\1\1" + content), some),
        st.sampled_from([b"\xff", b"\xff\xff\xff"]),
    ),
    max_size=6,
)
riff_chunks = st.lists(
    st.one_of(
        st.builds(riff_chunk, st.sampled_from([b"ICCP", b"EXIF", b"XMP ", b"junk"]), some),
        st.builds(lambda turn, order: riff_chunk(b"EXIF", exif(turn, order)), st.integers(0, 9), st.sampled_from("<>")),
    ),
    max_size=4,
)
extensions = st.lists(
    st.builds(extension, st.sampled_from([0x01, 0xFE, 0xFF]), some.filter(bool), some.filter(bool)), max_size=5
)


def once(kind: bytes, pieces: list[bytes]) -> list[bytes]:
    """The pieces with at most one of type ``kind``: of two EXIFs, readers may use either."""
    first = next((piece for piece in pieces if kind in piece[:12]), None)
    return [piece for piece in pieces if kind not in piece[:12] or piece is first]


def decoded_by_pillow(data: bytes) -> Image.Image | None:
    """The image as Pillow decodes it with all metadata, turned upright; None where it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data))
            image.draft("L", (DRAFT_SIDE, DRAFT_SIDE))
            image.load()
            return ImageOps.exif_transpose(image) if "exif" in image.info else image
        except Exception:
            return None


def assert_pixels_as_in_pillow(data: bytes) -> None:
    """Assert that ``decode`` gives the pixels that Pillow gives, if it decodes the file."""
    expected = decoded_by_pillow(data)
    if expected is None:
        return
    found = decode(data)
    assert (found.mode, found.size) == (expected.mode, expected.size)
    assert found.convert("RGBA").tobytes() == expected.convert("RGBA").tobytes()


@given(png_chunks, png_chunks)
@settings(max_examples=60)
def test_removing_png_chunks_changes_no_pixel(ahead: list[bytes], behind: list[bytes]) -> None:
    count = len(ahead)
    pieces = once(b"eXIf", ahead + behind)
    assert_pixels_as_in_pillow(png_with(PNG, pieces[:count], pieces[count:]))


@given(jpeg_segments)
@settings(max_examples=60)
def test_removing_jpeg_segments_changes_no_pixel(segments: list[bytes]) -> None:
    assert_pixels_as_in_pillow(jpeg_with(JPEG, *once(b"Exif", segments)))


@given(riff_chunks, riff_chunks)
@settings(max_examples=60)
def test_removing_webp_chunks_changes_no_pixel(ahead: list[bytes], behind: list[bytes]) -> None:
    count = len(ahead)
    pieces = once(b"EXIF", ahead + behind)
    assert_pixels_as_in_pillow(webp_with(WEBP, IMAGE.size, pieces[:count], pieces[count:]))


@given(extensions)
@settings(max_examples=60)
def test_removing_gif_extensions_changes_no_pixel(pieces: list[bytes]) -> None:
    assert_pixels_as_in_pillow(gif_with(GIF, *pieces))
    clear = encode(IMAGE.quantize(16), "GIF", transparency=3)
    assert_pixels_as_in_pillow(gif_with(clear, *pieces))


@pytest.mark.parametrize("format", FILES)
@given(noise=st.binary(max_size=64), place=st.integers(0, 4000), cut=st.integers(0, 40))
@settings(max_examples=60)
def test_damaged_files_are_decoded_or_rejected(format: str, noise: bytes, place: int, cut: int) -> None:
    data = FILES[format]
    place %= len(data)
    try:
        decode(data[:place] + noise + data[place + cut :])
    except ImageError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize("format", FILES)
def test_files_without_metadata_are_not_copied(format: str) -> None:
    data = FILES[format]
    assert strip_metadata(data).data is data
    assert strip_metadata(memoryview(data)).data == data
    view = memoryview(b"ahead of it" + data)[11:]
    assert decode(view).tobytes() == decode(data).tobytes()


def test_all_metadata_is_removed() -> None:
    secret = b"taken at home"
    profile = b"acsp" + bytes(200)
    options = {"exif": b"Exif\0\0" + exif(3) + secret, "icc_profile": profile + secret}
    files = {
        "PNG": png_with(
            encode(IMAGE, "PNG", icc_profile=secret), [chunk(b"tEXt", b"k\0" + secret), chunk(b"eXIf", exif(3) + secret)]
        ),
        "JPEG": jpeg_with(encode(IMAGE, "JPEG", **options), segment(0xFE, secret), segment(0xED, b"Photoshop 3.0\0" + secret)),
        "WEBP": encode(IMAGE, "WEBP", xmp=secret, **options),
        "GIF": encode(IMAGE, "GIF", comment=secret),
    }
    for format, data in files.items():
        stripped = strip_metadata(data)
        image = Image.open(io.BytesIO(stripped.data))
        image.load()
        assert secret in data and secret not in stripped.data, format
        assert not {"exif", "icc_profile", "xmp", "comment", "photoshop", "k"} & set(image.info), format
        assert stripped.orientation == (1 if format == "GIF" else 3)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_by_pillow(orientation: int, order: str) -> None:
    turn = exif(orientation, order)
    for data in (
        png_with(PNG, [chunk(b"eXIf", turn)]),
        png_with(PNG, (), [chunk(b"eXIf", turn)]),
        jpeg_with(JPEG, segment(0xE1, b"Exif\0\0" + turn)),
        webp_with(WEBP, IMAGE.size, (), [riff_chunk(b"EXIF", turn)]),
        webp_with(WEBP, IMAGE.size, (), [riff_chunk(b"EXIF", b"Exif\0\0" + turn)]),
    ):
        assert strip_metadata(data).orientation == orientation
        assert_pixels_as_in_pillow(data)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (exif(6, kind=4), 6),
        (exif(6, kind=1), 6),
        (exif(6, tags=exif_module.MAX_ENTRIES - 1), 6),
        (exif(6, tags=exif_module.MAX_ENTRIES), 1),
        (exif(6, count=2), 1),
        (exif(0), 1),
        (exif(9), 1),
        (exif(65535), 1),
        (exif(6)[:20], 1),
        (b"", 1),
        (b"MM\0*", 1),
        (b"MM\0*\xff\xff\xff\xff", 1),
        (b"II*\0\x08\0\0\0\xff\xff", 1),
        (exif(6)[:8] + b"\xff\xff" + exif(6)[10:], 6),  # a count beyond the end
    ],
)
def test_orientation_in_unusual_exif_directories(content: bytes, expected: int) -> None:
    assert exif_module.orientation(content, 0, len(content)) == expected
    padded = b"xx" + content + b"\xff" * 9
    assert exif_module.orientation(padded, 2, 2 + len(content)) == expected


@given(st.binary(max_size=300))
def test_random_exif_gives_a_valid_orientation(noise: bytes) -> None:
    assert 1 <= exif_module.orientation(noise, 0, len(noise)) <= 8
    assert 1 <= exif_module.orientation(b"II*\0" + noise, 0, 4 + len(noise)) <= 8


def hostile_files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Files of about a megabyte that took Pillow up to ten seconds."""
    small = encode(digit("7").resize((64, 64)), "PNG")
    photo = encode(IMAGE, "JPEG")
    tags = struct.pack(">HHII", 0x0112, 3, 1, 6 << 16) + struct.pack(">HHII", 0x9999, 7, 0xFFFF, 8) * 65_534
    directory = b"MM\0*\0\0\0\x08\xff\xff" + tags + bytes(4)
    profile = chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(1_000_000)))
    yield "PNG, 65,535 tags", lambda: png_with(small, [chunk(b"eXIf", directory)])
    yield "PNG, 65,535 tags behind the pixels", lambda: png_with(small, (), [chunk(b"eXIf", directory)])
    yield "JPEG, 5,000 tags", lambda: jpeg_with(photo, segment(0xE1, b"Exif\0\0" + directory[: 10 + 12 * 5000]))
    yield (
        "JPEG, EXIF in 16 segments",
        lambda: jpeg_with(photo, *[segment(0xE1, b"Exif\0\0" + directory[i << 16 :][:65_000]) for i in range(16)]),
    )
    yield "WebP, 65,535 tags", lambda: webp_with(WEBP, IMAGE.size, (), [riff_chunk(b"EXIF", directory)])
    yield "PNG, colour profiles", lambda: png_with(small, [profile] * 800)
    yield "PNG, packed texts", lambda: png_with(small, [chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000)))] * 800)
    world = chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(b"\xc3\xa4" * 500_000))
    yield "PNG, packed texts of the world", lambda: png_with(small, [world] * 800)
    yield "PNG, texts", lambda: png_with(small, [chunk(b"tEXt", b"%d\0v" % i) for i in range(8000)])
    yield "PNG, 80,000 chunks", lambda: png_with(small, [chunk(b"tEXt")] * 80_000)
    yield "PNG, 8,000 chunks of pixels", lambda: png_with(small, [chunk(b"IDAT")] * 8000)
    yield "PNG, 80,000 chunks of pixels", lambda: png_with(small, [chunk(b"IDAT")] * 80_000)
    yield "JPEG, fill bytes", lambda: jpeg_with(photo, b"\xff" * 1_000_000)
    yield "JPEG, bytes between segments", lambda: jpeg_with(photo, b"x" * 1_000_000)
    yield "JPEG, zeros that are no markers", lambda: jpeg_with(photo, b"\xff\0" * 500_000)
    yield "JPEG, frames", lambda: jpeg_with(photo, *[segment(0xC0, b"\x08\0\x11\0\x1f\x03" + bytes(60_000))] * 16)
    yield "JPEG, quantisation", lambda: jpeg_with(photo, *[segment(0xDB, (b"\0" + b"\1" * 64) * 1000)] * 16)
    yield "JPEG, 250,000 segments", lambda: jpeg_with(photo, segment(0xFE, b"") * 250_000)
    yield (
        "JPEG, Photoshop resources",
        lambda: jpeg_with(photo, *[segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000)] * 16),
    )
    yield "WebP, 100,000 chunks", lambda: webp_with(WEBP, IMAGE.size, [riff_chunk(b"junk", b"")] * 100_000)
    yield "GIF, comments in pieces of a byte", lambda: gif_with(GIF, extension(0xFE, *[b"x"] * 500_000))
    yield "GIF, 200,000 extensions", lambda: gif_with(GIF, *[extension(0xFF, b"x")] * 200_000)
    yield "GIF, bytes between blocks", lambda: gif_with(GIF, b"x" * 1_000_000)
    yield "BMP, runs of nothing", lambda: bmp(b"\0\0" * 500_000, 64, 64, 8, compression=1, palette=bytes(1024))


HOSTILE_FILES = dict(hostile_files())


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_hostile_metadata_takes_bounded_time(name: str) -> None:
    data = HOSTILE_FILES[name]()

    def decode_or_reject() -> None:
        with suppress(*([] if "tags" in name else [ImageError])):
            decode(data)

    assert relative_cost(decode_or_reject) < MAX_COST


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png_with(PNG, [chunk(b"tEXt")] * png.MAX_CHUNKS), "more than 8,192 chunks"),
        (jpeg_with(JPEG, segment(0xFE, b"") * jpeg.MAX_SEGMENTS), "more than 1,024 segments"),
        (webp_with(WEBP, IMAGE.size, [riff_chunk(b"junk", b"")] * webp.MAX_CHUNKS), "more than 8,192 chunks"),
        (gif_with(GIF, extension(0xFE, *[b"x"] * gif.MAX_SUB_BLOCKS)), "more than 4,096 blocks"),
    ],
)
def test_too_many_parts_are_rejected_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UndecodableImage, match=reason):
        inspect(data)


def test_scans_of_the_main_image_cannot_be_hidden() -> None:
    few = progressive(IMAGE, 0)
    scans = few.count(b"\xff\xda")
    inside = segment(0xE1, b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 500)  # as in a thumbnail
    assert inspect(few).work == inspect(jpeg_with(few, inside)).work == inspect(few + few * 9).work
    assert inspect(few).parts == inspect(few + few * 9).parts > scans
    twice = few[:-2] + few[few.rindex(b"\xff\xda") :]
    for hidden in (b"\xff\x01", b"\xff\x02\xff\xff", b"\xff\xff\xff", b"\xff\xd0", segment(0xFE, b"\xff\xd9"), b"\xff\0\xff"):
        last = few.rindex(b"\xff\xda")
        assert inspect(few[:-2] + hidden + few[last:]).parts >= inspect(twice).parts


def test_second_header_or_frame_is_rejected() -> None:
    large = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    with pytest.raises(UndecodableImage):
        decode(png_with(PNG, [large]))
    with pytest.raises(UndecodableImage):
        decode(jpeg_with(JPEG, segment(0xC0, b"\x08\xff\xff\xff\xff\1\1\x11\0")))


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_unsupported_jpeg_types_are_rejected_with_the_reason(marker: int) -> None:
    with pytest.raises(UndecodableImage, match="lossless, arithmetic-coded or hierarchical"):
        decode(JPEG.replace(b"\xff\xc0", bytes((0xFF, marker)), 1))


def test_pillow_warnings_about_uploads_are_silenced() -> None:
    broken = [
        jpeg_with(JPEG, segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + random.Random(0).randbytes(9000))),
        png_with(PNG, [chunk(b"acTL", bytes(8))]),
    ]
    code = f"""
import io, sys
from preprocessing import decode
from PIL import Image
for data in {broken!r}:
    decode(data)
    image = Image.open(io.BytesIO(data))
    image.load()
    image.getexif()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""


def test_animation_is_decoded_as_its_first_frame() -> None:
    others = [Image.new("RGB", IMAGE.size, colour) for colour in ("red", "blue")]
    for format in ("PNG", "WEBP", "GIF"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encode(IMAGE, format, save_all=True, append_images=others, **options)
        assert_pixels_as_in_pillow(data)
        assert len(strip_metadata(data).data) <= len(data)
        found = np.asarray(decode(data).convert("RGB"), dtype=int)
        assert np.abs(found - np.asarray(IMAGE, dtype=int)).mean() < 12

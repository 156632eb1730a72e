"""Removal of metadata from encoded images, also damaged and hostile ones."""

import io
from random import Random

import pytest
from PIL import Image

from gallery.metadata_removal import remove_metadata
from loadtests.fuzz.formats import segment
from loadtests.fuzz.mutation import mutate
from loadtests.fuzz.png import chunk, join_chunks, split_chunks
from loadtests.fuzz.rare_jpeg_webp import valid_jpegs, valid_webps
from loadtests.fuzz.rare_png import valid_pngs
from tests.support.cost import relative_cost
from tests.support.pictures import digit, encoded

PNG = encoded(digit("7"))
JPEG = encoded(digit("7").convert("RGB"), "JPEG")


def webp(**options: object) -> bytes:
    buffer = io.BytesIO()
    digit("7").save(buffer, "WEBP", **options)
    return buffer.getvalue()


def test_file_without_metadata_is_unchanged() -> None:
    for data in (PNG, encoded(digit("7").convert("RGB"), "WEBP"), webp(lossless=True), JPEG):
        assert remove_metadata(data) == data


def test_ancillary_png_chunks_are_removed() -> None:
    header, *pixels = split_chunks(PNG)
    others = [(kind, b"secret") for kind in (b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"gAMA", b"prVt")]
    assert remove_metadata(join_chunks([header, *others, *pixels]) + b"secret") == PNG
    assert remove_metadata(join_chunks([header, (b"PrVt", b"secret"), *pixels])) is None


def test_jpeg_application_segments_are_removed() -> None:
    others = b"".join(segment(kind, b"secret") for kind in (*range(0xE1, 0xF0), 0xFE))
    assert remove_metadata(JPEG[:20] + others + JPEG[20:] + b"secret") == JPEG
    long_header = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"secret"[:6] * 2)
    assert remove_metadata(JPEG[:2] + long_header + JPEG[20:]) == JPEG
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1secret")
    assert remove_metadata(JPEG[:2] + adobe + JPEG[20:]) == JPEG[:2] + segment(0xEE, b"Adobe\0\x64\0\0\0\0\1") + JPEG[20:]


def test_webp_metadata_and_unneeded_header_are_removed() -> None:
    plain = encoded(digit("7").convert("RGB"), "WEBP")
    buffer = io.BytesIO()
    digit("7").convert("RGB").save(buffer, "WEBP", xmp=b"secret", icc_profile=b"secret")
    assert b"secret" in buffer.getvalue()
    assert remove_metadata(buffer.getvalue()) == plain
    see_through = remove_metadata(webp(exif=b"Exif\0\0secret"))
    assert see_through is not None and b"secret" not in see_through
    assert Image.open(io.BytesIO(see_through)).mode == "RGBA"


@pytest.mark.parametrize("data", [b"", b"text", PNG[:-12], JPEG[:-2], JPEG[:300], b"RIFF", webp()[:20]])
def test_corrupt_and_other_formats_return_none(data: bytes) -> None:
    assert remove_metadata(data) is None


def test_animations_return_none() -> None:
    for data in (
        webp(save_all=True, append_images=[digit("4")]),
        webp(save_all=True, append_images=[digit("4")], lossless=True),
    ):
        assert remove_metadata(data) is None


def test_damaged_files_raise_no_error() -> None:
    hand = Random(7)
    whole = [data for find in (valid_pngs, valid_jpegs, valid_webps) for _, data in find() if len(data) < 50_000]
    for data in whole:
        for _ in range(10):
            left = remove_metadata(mutate(data, hand))
            assert left is None or len(left) <= len(data) + 100_000


def test_hostile_files_take_bounded_time() -> None:
    """Files of ten million bytes, of as many parts as there can be."""
    header, *pixels = split_chunks(PNG)
    chunks = join_chunks([header]) + chunk(b"tEXt") * 800_000 + join_chunks(pixels)[8:]
    segments = JPEG[:20] + segment(0xFE, b"") * 2_500_000 + JPEG[20:]
    zeros = JPEG[:-2] + b"\xff\x00" * 5_000_000 + JPEG[-2:]
    fill = JPEG[:20] + b"\xff" * 10_000_000 + JPEG[20:]
    webp_chunks = b"RIFF\xff\xff\xff\x7fWEBP" + b"EXIF\0\0\0\0" * 1_000_000

    def remove() -> None:
        for data in (chunks, segments, webp_chunks):
            assert remove_metadata(data) is None
        assert remove_metadata(zeros) is not None
        assert remove_metadata(fill) == JPEG

    assert relative_cost(remove, rounds=1) < 400

"""Counting the sets of prefix codes in lossless WebPs."""

import struct
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from loadtests.fuzz.formats import riff, riff_chunk
from loadtests.images import encode
from preprocessing import ImageError, UndecodableImage, decode, inspect
from preprocessing.containers.vp8l import MAX_SETS, check_sets
from tests.preprocessing.files import many_codes
from tests.support.cost import relative_cost
from tests.support.pictures import digit

SIDE = 112
RANDOM = np.random.default_rng(0)
SMOOTH = Image.fromarray(RANDOM.integers(0, 255, (20, 20, 4), dtype=np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
GRAINY = Image.fromarray(
    (np.asarray(SMOOTH, dtype=int) + RANDOM.integers(-8, 8, (SIDE, SIDE, 4))).clip(0, 255).astype(np.uint8)
)
TILES = Image.fromarray(np.kron(RANDOM.integers(0, 255, (16, 16, 4)), np.ones((7, 7, 1))).astype(np.uint8))
PICTURES = {
    "drawing": digit("7").resize((SIDE, SIDE)),
    "smooth": SMOOTH,
    "grainy": GRAINY,
    "tiles": TILES,
    "colours": GRAINY.convert("RGB"),
    "40 colours": SMOOTH.convert("RGB").quantize(40).convert("RGB"),
    "3 colours": SMOOTH.convert("RGB").quantize(3).convert("RGB"),
    "2 colours": SMOOTH.convert("1").convert("RGB"),
    "one colour": Image.new("RGB", (SIDE, SIDE), "teal"),
}


def chunk_of(webp: bytes, kind: bytes) -> bytes:
    """The content of the first chunk of a kind."""
    at = webp.index(kind, 12)
    (length,) = struct.unpack_from("<I", webp, at + 4)
    return webp[at + 8 : at + 8 + length]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(("method", "quality"), [(0, 0), (3, 30), (6, 60)])
def test_libwebp_output_is_parsed_and_has_few_sets(name: str, method: int, quality: int) -> None:
    data = encode(PICTURES[name], "WEBP", lossless=True, method=method, quality=quality, exact=True)
    check_sets(chunk_of(data, b"VP8L"), SIDE, SIDE, header=True, most=64)
    assert decode(data).convert("RGBA").tobytes() == PICTURES[name].convert("RGBA").tobytes()


def test_alpha_stream_is_parsed() -> None:
    clear = SMOOTH.convert("RGB")
    clear.putalpha(GRAINY.getchannel("A"))
    data = encode(clear, "WEBP", quality=50, alpha_quality=100)
    opacity = chunk_of(data, b"ALPH")
    assert opacity[0] & 3 == 1
    check_sets(opacity[1:], SIDE, SIDE, header=False, most=64)
    assert decode(data).mode == "RGBA"


@pytest.mark.parametrize("sets", [1, 2, 63, 64, 65, 700])
def test_code_sets_are_counted(sets: int) -> None:
    stream = many_codes(200, 240, sets)
    assert decode(riff(riff_chunk(b"VP8L", stream))).size == (200, 240)
    if sets > 64:
        with pytest.raises(UndecodableImage, match=f"has {sets:,} sets of codes"):
            check_sets(stream, 200, 240, header=True, most=64)
    else:
        check_sets(stream, 200, 240, header=True, most=64)


def test_images_with_thousands_of_code_sets_are_rejected() -> None:
    side, sets = 400, 2 * MAX_SETS
    lossless, opacity = many_codes(side, side, sets), many_codes(side, side, sets, header=False)
    canvas = struct.pack("<I", side - 1)[:3] * 2
    picture = encode(Image.new("RGB", (side, side)), "WEBP")[12:]
    frame = bytes(6) + canvas + bytes(4) + riff_chunk(b"VP8L", lossless)
    animation = riff_chunk(b"VP8X", b"\x02\0\0\0" + canvas), riff_chunk(b"ANIM", bytes(6)), riff_chunk(b"ANMF", frame)
    for data in (
        riff(riff_chunk(b"VP8L", lossless)),
        riff(riff_chunk(b"VP8X", b"\x10\0\0\0" + canvas), riff_chunk(b"ALPH", b"\x01" + opacity), picture),
        riff(*animation),
    ):
        assert inspect(data).parts > 1000  # and so not for the event loop
        assert relative_cost(partial(assert_too_many_sets, data, sets)) < 60


def assert_too_many_sets(data: bytes, sets: int) -> None:
    """Decode an image, which is rejected with the number of its sets."""
    with pytest.raises(UndecodableImage, match=f"{sets:,} sets of codes, as no encoder writes"):
        decode(data)


STREAM = chunk_of(encode(SMOOTH, "WEBP", lossless=True), b"VP8L")


@given(st.integers(0, 5000), st.binary(max_size=20), st.integers(0, 20))
@settings(max_examples=60)
def test_damaged_streams_are_parsed_or_rejected(place: int, noise: bytes, cut: int) -> None:
    damaged = STREAM[:place] + noise + STREAM[place + cut :]
    for header in (True, False):
        try:
            check_sets(damaged, SIDE, SIDE, header=header, most=10)
        except ImageError as error:
            assert str(error).endswith(".")

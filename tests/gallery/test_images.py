"""Images prepared for storage look the same and have no metadata."""

import io
import struct
import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from gallery import InvalidImage, prepare_image
from gallery.images import MAX_SIDE, PORTABLE_MODES, THUMBNAIL_SIDE, TRANSPOSITIONS
from loadtests.fuzz.corpus import random_image
from loadtests.fuzz.rare_jpeg_webp import valid_jpegs, valid_webps
from loadtests.fuzz.rare_png import valid_pngs
from tests.gallery.entries import photo
from tests.support.pictures import WHITE, digit, encoded


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_canvas_drawing_is_stored_losslessly() -> None:
    drawn = digit("7")
    kept = prepare_image(encoded(drawn))
    assert (kept.width, kept.height) == drawn.size
    assert opened(kept.image).mode == "RGBA"
    assert opened(kept.image).tobytes() == drawn.tobytes()
    assert max(opened(kept.thumbnail).size) == THUMBNAIL_SIDE


@pytest.mark.parametrize(("size", "kept"), [((3000, 1500), (1024, 512)), ((500, 2500), (205, 1024)), ((9000, 3), (1024, 1))])
def test_large_images_are_scaled_down(size: tuple[int, int], kept: tuple[int, int]) -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        found = prepare_image(encoded(Image.new("RGB", size, "red"), format))
        assert (found.width, found.height) == opened(found.image).size == kept
    assert max(kept) == MAX_SIDE
    assert (
        prepare_image(encoded(Image.new("L", (3, 2)))).width,
        opened(prepare_image(encoded(Image.new("L", (3, 2)))).thumbnail).size,
    ) == (
        3,
        (3, 2),
    )


def with_secrets(image: Image.Image, format: str, orientation: int = 1) -> bytes:
    """A file that says who took the picture, where and with what."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"Secret Profile", "xmp": b"<x:xmpmeta>Secret Place</x:xmpmeta>"}
    if format == "PNG":
        comments = PngInfo()
        comments.add_text("Author", "Secret Person")
        comments.add_itxt("XML:com.adobe.xmp", "Secret Place", zip=False)
        options = {"exif": exif, "icc_profile": b"Secret Profile", "pnginfo": comments, "dpi": (72, 72)}
    elif format == "JPEG":
        options |= {"quality": 95, "comment": "Secret Person", "dpi": (72, 72)}
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    data = buffer.getvalue()
    assert b"Secret" in data
    return data + (b"Secret Picture behind the picture" if format != "WEBP" else b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_metadata_is_removed(format: str, mode: str) -> None:
    kept = prepare_image(with_secrets(photo((300, 200)).convert(mode), format))
    assert kept.media_type == Image.MIME[format]
    for data in (kept.image, kept.thumbnail):
        assert b"Secret" not in data
        found = opened(data)
        assert not set(found.info) & {"exif", "icc_profile", "xmp", "comment", "dpi", "Author", "XML:com.adobe.xmp"}
        assert found.info.get("jfif_unit", 0) == 0
        assert not found.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    upright = digit("7", paper=WHITE).convert("RGB").crop((40, 20, 280, 280))
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turned = upright.transpose(back.get(orientation, TRANSPOSITIONS[orientation])) if orientation > 1 else upright
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    assert ImageOps.exif_transpose(Image.open(buffer)).tobytes() == upright.tobytes()
    kept = prepare_image(memoryview(buffer.getvalue()), orientation)
    assert (kept.width, kept.height) == upright.size
    assert opened(kept.image).tobytes() == upright.tobytes()


def test_exif_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture whose EXIF takes seconds to parse this would be felt."""

    def never(*_: object) -> None:
        raise AssertionError("EXIF is parsed")

    monkeypatch.setattr(Image.Exif, "load", never)
    for format in ("PNG", "JPEG", "WEBP"):
        data = with_secrets(digit("7", paper=WHITE).convert("RGB"), format, orientation=6)
        assert b"Secret" not in prepare_image(data).image


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_photo_keeps_its_encoded_bytes(format: str) -> None:
    came = encoded(photo(), format)
    kept = prepare_image(came)
    assert kept.media_type == Image.MIME[format]
    assert len(came) - 64 <= len(kept.image) <= len(came)
    assert len(kept.image) * 5 < len(encoded(photo()))
    assert opened(kept.image).tobytes() == opened(came).tobytes()
    assert kept.size == len(kept.image) + len(kept.thumbnail)


def test_png_is_stored_if_it_is_smaller() -> None:
    wasteful = io.BytesIO()
    digit("7").save(wasteful, "PNG", compress_level=0)
    kept = prepare_image(wasteful.getvalue())
    assert kept.media_type == "image/png"
    assert len(kept.image) < len(wasteful.getvalue()) / 10
    padded = encoded(digit("7").convert("RGB"), "JPEG").replace(b"\xff\xda", b"\xff" * 50_000 + b"\xff\xda", 1)
    assert len(prepare_image(padded).image) < 20_000


@pytest.mark.parametrize("orientation", [3, 6])
def test_rotated_or_scaled_image_is_stored_as_png(orientation: int) -> None:
    assert prepare_image(encoded(photo((60, 40)), "JPEG"), orientation).media_type == "image/png"
    assert prepare_image(encoded(photo((1025, 40)), "JPEG")).media_type == "image/png"


@pytest.mark.parametrize("format", ["BMP", "GIF"])
def test_bmp_and_gif_are_stored_as_png(format: str) -> None:
    drawn = digit("7", paper=WHITE).convert("L")
    kept = prepare_image(encoded(drawn, format))
    assert (kept.media_type, kept.width, kept.height) == ("image/png", 280, 280)
    assert opened(kept.image).convert("L").tobytes() == drawn.tobytes()


def test_uncovered_part_of_a_gif_is_transparent() -> None:
    drawn = digit("7", paper=WHITE).convert("L")
    gif = bytearray(encoded(drawn, "GIF"))
    frame = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    assert gif[frame : frame + 1] == b","
    gif[6:10], gif[frame + 1 : frame + 5] = struct.pack("<2H", 340, 320), struct.pack("<2H", 30, 20)
    kept = opened(prepare_image(bytes(gif)).image)
    assert (kept.mode, kept.size, kept.getpixel((5, 5))) == ("RGBA", (340, 320), (0, 0, 0, 0))
    assert kept.crop((30, 20, 310, 300)).convert("L").tobytes() == drawn.tobytes()


def shown(image: Image.Image) -> np.ndarray[Any, np.dtype[Any]]:
    return np.asarray(image.convert("RGBA"), dtype=int)


def undisturbed(data: bytes) -> Image.Image:
    """What Pillow makes of a file, whatever it complains of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return opened(data)


WHOLE = {name: data for find in (valid_pngs, valid_jpegs, valid_webps) for name, data in find()}


@pytest.mark.parametrize("name", WHOLE)
def test_rare_files_look_the_same(name: str) -> None:
    kept, before = prepare_image(WHOLE[name]), undisturbed(WHOLE[name])
    after = opened(kept.image)
    assert after.size == (kept.width, kept.height)
    if before.mode in PORTABLE_MODES and max(before.size) <= MAX_SIDE:
        assert abs(shown(after) - shown(before)).max() <= 1


def test_random_files_look_the_same() -> None:
    """Of all formats, sizes, modes and options, with and without what else a file may hold."""
    hand, formats = Random(7), set()
    for _ in range(80):
        data = random_image(hand)
        try:
            before = undisturbed(data)
        except Exception:
            with pytest.raises(InvalidImage):
                prepare_image(data)
            continue
        kept = prepare_image(data)
        formats.add(kept.media_type)
        if before.mode in PORTABLE_MODES and max(before.size) <= MAX_SIDE:
            difference = abs(shown(opened(kept.image)) - shown(before))
            assert difference[shown(before)[..., 3] > 0].max(initial=0) <= 1, (before.format, before.mode)
    assert formats == {"image/png", "image/jpeg", "image/webp"}


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("1", "1"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB"), ("I;16", "L")],
)
def test_every_mode_looks_the_same(mode: str, kept: str) -> None:
    grey = ImageOps.grayscale(digit("7", paper=WHITE).convert("RGB"))
    image = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 100 + 7) if mode == "I;16" else grey.convert(mode)
    assert image.mode == mode
    found = opened(prepare_image(encoded(image, "JPEG" if mode == "CMYK" else "PNG")).image)
    assert found.mode == kept
    assert abs(np.asarray(found.convert("L"), dtype=int) - np.asarray(grey, dtype=int)).mean() < 1


def test_palette_transparency_is_kept() -> None:
    image = digit("7").convert("P")
    image.info["transparency"] = image.getpixel((0, 0))
    found = opened(prepare_image(encoded(image)).image)
    assert (found.mode, found.getpixel((0, 0))[3], found.getpixel((140, 60))[3]) == ("RGBA", 0, 255)  # type: ignore[index]


def test_animation_is_stored_as_its_first_frame() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(buffer, "WEBP", save_all=True, lossless=True, append_images=[Image.new("RGB", (9, 9))])
    found = opened(prepare_image(buffer.getvalue()).image)
    assert getattr(found, "n_frames", 1) == 1
    assert found.convert("RGB").getpixel((4, 4)) == (254, 0, 0) or found.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"text", encoded(digit("7"))[:200], encoded(digit("7").convert("RGB"), "TIFF")])
def test_invalid_image_is_rejected(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        prepare_image(data)

"""gallery.pictures: what is kept of a picture is what a viewer sees of it, and nothing else."""

import io
import struct
import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from gallery import BadPicture, picture
from gallery.pictures import LOOP_SCHEDULER, SHOWN_ALIKE, SIDE, THUMBNAIL_SIDE
from loadtests.fuzz.corpus import odd_picture
from loadtests.fuzz.rare_jpegs import whole_jpegs, whole_webps
from loadtests.fuzz.rare_pngs import whole_pngs
from tests.support.pictures import WHITE, digit, encoded


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_canvas_is_kept_to_the_pixel() -> None:
    drawn = digit("7")
    kept = picture(encoded(drawn))
    assert (kept.width, kept.height) == drawn.size
    assert opened(kept.image).mode == "RGBA"
    assert opened(kept.image).tobytes() == drawn.tobytes()
    assert max(opened(kept.thumbnail).size) == THUMBNAIL_SIDE


@pytest.mark.parametrize(("size", "kept"), [((3000, 1500), (1024, 512)), ((500, 2500), (205, 1024)), ((9000, 3), (1024, 1))])
def test_large_pictures_are_made_smaller_and_small_ones_left(size: tuple[int, int], kept: tuple[int, int]) -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        found = picture(encoded(Image.new("RGB", size, "red"), format))
        assert (found.width, found.height) == opened(found.image).size == kept
    assert max(kept) == SIDE
    assert (
        picture(encoded(Image.new("L", (3, 2)))).width,
        opened(picture(encoded(Image.new("L", (3, 2)))).thumbnail).size,
    ) == (
        3,
        (3, 2),
    )


def photo(size: tuple[int, int] = (500, 400)) -> Image.Image:
    """Something with as much grain as a photo has."""
    grain = np.random.default_rng(7).normal(0, 6, (size[1], size[0], 3))
    slope = np.linspace(60, 200, size[0])[None, :, None]
    return Image.fromarray(np.clip(slope + grain, 0, 255).astype(np.uint8))


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
def test_where_and_with_what_it_was_taken_is_forgotten(format: str, mode: str) -> None:
    kept = picture(with_secrets(photo((300, 200)).convert(mode), format))
    assert kept.media_type == Image.MIME[format]
    for data in (kept.image, kept.thumbnail):
        assert b"Secret" not in data
        found = opened(data)
        assert not set(found.info) & {"exif", "icc_profile", "xmp", "comment", "dpi", "Author", "XML:com.adobe.xmp"}
        assert found.info.get("jfif_unit", 0) == 0
        assert not found.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int) -> None:
    upright = digit("7", paper=WHITE).convert("RGB").crop((40, 20, 280, 280))
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turned = upright.transpose(back.get(orientation, LOOP_SCHEDULER[orientation])) if orientation > 1 else upright
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    assert ImageOps.exif_transpose(Image.open(buffer)).tobytes() == upright.tobytes()
    kept = picture(memoryview(buffer.getvalue()), orientation)
    assert (kept.width, kept.height) == upright.size
    assert opened(kept.image).tobytes() == upright.tobytes()


def test_the_orientation_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture whose EXIF takes seconds to parse this would be felt."""

    def never(*_: object) -> None:
        raise AssertionError("EXIF is parsed")

    monkeypatch.setattr(Image.Exif, "load", never)
    for format in ("PNG", "JPEG", "WEBP"):
        data = with_secrets(digit("7", paper=WHITE).convert("RGB"), format, orientation=6)
        assert b"Secret" not in picture(data).image


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_a_photo_takes_no_more_room_than_it_came_with(format: str) -> None:
    came = encoded(photo(), format)
    kept = picture(came)
    assert kept.media_type == Image.MIME[format]
    assert len(came) - 64 <= len(kept.image) <= len(came)
    assert len(kept.image) * 5 < len(encoded(photo()))
    assert opened(kept.image).tobytes() == opened(came).tobytes()
    assert kept.size == len(kept.image) + len(kept.thumbnail)


def test_a_png_is_kept_where_it_is_smaller() -> None:
    wasteful = io.BytesIO()
    digit("7").save(wasteful, "PNG", compress_level=0)
    kept = picture(wasteful.getvalue())
    assert kept.media_type == "image/png"
    assert len(kept.image) < len(wasteful.getvalue()) / 10
    padded = encoded(digit("7").convert("RGB"), "JPEG").replace(b"\xff\xda", b"\xff" * 50_000 + b"\xff\xda", 1)
    assert len(picture(padded).image) < 20_000


@pytest.mark.parametrize("orientation", [3, 6])
def test_what_is_turned_or_made_smaller_is_a_png(orientation: int) -> None:
    assert picture(encoded(photo((60, 40)), "JPEG"), orientation).media_type == "image/png"
    assert picture(encoded(photo((1025, 40)), "JPEG")).media_type == "image/png"


@pytest.mark.parametrize("format", ["BMP", "GIF"])
def test_bmp_and_gif_are_kept_as_png(format: str) -> None:
    drawn = digit("7", paper=WHITE).convert("L")
    kept = picture(encoded(drawn, format))
    assert (kept.media_type, kept.width, kept.height) == ("image/png", 280, 280)
    assert opened(kept.image).convert("L").tobytes() == drawn.tobytes()


def test_what_the_first_frame_of_a_gif_leaves_free_is_transparent() -> None:
    drawn = digit("7", paper=WHITE).convert("L")
    gif = bytearray(encoded(drawn, "GIF"))
    frame = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    assert gif[frame : frame + 1] == b","
    gif[6:10], gif[frame + 1 : frame + 5] = struct.pack("<2H", 340, 320), struct.pack("<2H", 30, 20)
    kept = opened(picture(bytes(gif)).image)
    assert (kept.mode, kept.size, kept.getpixel((5, 5))) == ("RGBA", (340, 320), (0, 0, 0, 0))
    assert kept.crop((30, 20, 310, 300)).convert("L").tobytes() == drawn.tobytes()


def shown(image: Image.Image) -> np.ndarray[Any, np.dtype[Any]]:
    return np.asarray(image.convert("RGBA"), dtype=int)


def undisturbed(data: bytes) -> Image.Image:
    """What Pillow makes of a file, whatever it complains of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return opened(data)


WHOLE = {name: data for find in (whole_pngs, whole_jpegs, whole_webps) for name, data in find()}


@pytest.mark.parametrize("name", WHOLE)
def test_rare_files_look_the_same_as_before(name: str) -> None:
    kept, before = picture(WHOLE[name]), undisturbed(WHOLE[name])
    after = opened(kept.image)
    assert after.size == (kept.width, kept.height)
    if before.mode in SHOWN_ALIKE and max(before.size) <= SIDE:
        assert abs(shown(after) - shown(before)).max() <= 1


def test_odd_files_look_the_same_as_before() -> None:
    """Of all formats, sizes, modes and options, with and without what else a file may hold."""
    hand, formats = Random(7), set()
    for _ in range(80):
        data = odd_picture(hand)
        try:
            before = undisturbed(data)
        except Exception:
            with pytest.raises(BadPicture):
                picture(data)
            continue
        kept = picture(data)
        formats.add(kept.media_type)
        if before.mode in SHOWN_ALIKE and max(before.size) <= SIDE:
            difference = abs(shown(opened(kept.image)) - shown(before))
            assert difference[shown(before)[..., 3] > 0].max(initial=0) <= 1, (before.format, before.mode)
    assert formats == {"image/png", "image/jpeg", "image/webp"}


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("1", "1"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB"), ("I;16", "L")],
)
def test_every_mode_looks_the_same_as_before(mode: str, kept: str) -> None:
    grey = ImageOps.grayscale(digit("7", paper=WHITE).convert("RGB"))
    image = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 100 + 7) if mode == "I;16" else grey.convert(mode)
    assert image.mode == mode
    found = opened(picture(encoded(image, "JPEG" if mode == "CMYK" else "PNG")).image)
    assert found.mode == kept
    assert abs(np.asarray(found.convert("L"), dtype=int) - np.asarray(grey, dtype=int)).mean() < 1


def test_transparency_of_a_palette_is_kept() -> None:
    image = digit("7").convert("P")
    image.info["transparency"] = image.getpixel((0, 0))
    found = opened(picture(encoded(image)).image)
    assert (found.mode, found.getpixel((0, 0))[3], found.getpixel((140, 60))[3]) == ("RGBA", 0, 255)  # type: ignore[index]


def test_of_an_animation_the_first_frame() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(buffer, "WEBP", save_all=True, lossless=True, append_images=[Image.new("RGB", (9, 9))])
    found = opened(picture(buffer.getvalue()).image)
    assert getattr(found, "n_frames", 1) == 1
    assert found.convert("RGB").getpixel((4, 4)) == (254, 0, 0) or found.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"text", encoded(digit("7"))[:200], encoded(digit("7").convert("RGB"), "TIFF")])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(BadPicture):
        picture(data)

"""gallery.pictures: what is kept of a picture is what a viewer sees of it, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from gallery import BadPicture, picture
from gallery.pictures import SIDE, THUMBNAIL_SIDE
from tests.pictures import WHITE, digit, encoded


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_canvas_is_kept_to_the_pixel() -> None:
    drawn = digit("7")
    kept = picture(encoded(drawn))
    assert (kept.width, kept.height) == drawn.size
    assert opened(kept.png).mode == "RGBA"
    assert opened(kept.png).tobytes() == drawn.tobytes()
    assert max(opened(kept.thumbnail).size) == THUMBNAIL_SIDE


@pytest.mark.parametrize(("size", "kept"), [((3000, 1500), (1024, 512)), ((500, 2500), (205, 1024)), ((9000, 3), (1024, 1))])
def test_large_pictures_are_made_smaller_and_small_ones_left(size: tuple[int, int], kept: tuple[int, int]) -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        found = picture(encoded(Image.new("RGB", size, "red"), format))
        assert (found.width, found.height) == opened(found.png).size == kept
    assert max(kept) == SIDE
    assert (
        picture(encoded(Image.new("L", (3, 2)))).width,
        opened(picture(encoded(Image.new("L", (3, 2)))).thumbnail).size,
    ) == (
        3,
        (3, 2),
    )


def test_where_and_with_what_it_was_taken_is_forgotten_but_not_which_side_is_up() -> None:
    upright = digit("7", paper=WHITE).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    for format in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        turned = upright.transpose(Image.Transpose.ROTATE_90)
        turned.save(buffer, format, exif=exif, icc_profile=b"Secret Profile", **({"quality": 95} if format != "PNG" else {}))
        assert b"Secret" in buffer.getvalue()
        kept = picture(buffer.getvalue())
        for data in (kept.png, kept.thumbnail):
            assert b"Secret" not in data
            assert opened(data).info == {}
            assert not opened(data).getexif()
        difference = np.asarray(opened(kept.png), dtype=int) - np.asarray(upright, dtype=int)
        assert abs(difference).mean() < 3


def test_comments_are_forgotten() -> None:
    comments = PngInfo()
    comments.add_text("Author", "Secret Person")
    buffer = io.BytesIO()
    digit("7").save(buffer, "PNG", pnginfo=comments)
    assert b"Secret" in buffer.getvalue()
    assert b"Secret" not in picture(buffer.getvalue()).png


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("1", "L"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB"), ("I;16", "L")],
)
def test_every_mode_looks_the_same_as_before(mode: str, kept: str) -> None:
    grey = ImageOps.grayscale(digit("7", paper=WHITE).convert("RGB"))
    image = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 100 + 7) if mode == "I;16" else grey.convert(mode)
    assert image.mode == mode
    found = opened(picture(encoded(image, "JPEG" if mode == "CMYK" else "PNG")).png)
    assert found.mode == kept
    assert abs(np.asarray(found.convert("L"), dtype=int) - np.asarray(grey, dtype=int)).mean() < 1


def test_transparency_of_a_palette_is_kept() -> None:
    image = digit("7").convert("P")
    image.info["transparency"] = image.getpixel((0, 0))
    found = opened(picture(encoded(image)).png)
    assert (found.mode, found.getpixel((0, 0))[3], found.getpixel((140, 60))[3]) == ("RGBA", 0, 255)  # type: ignore[index]


def test_of_an_animation_the_first_frame() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(buffer, "WEBP", save_all=True, lossless=True, append_images=[Image.new("RGB", (9, 9))])
    found = opened(picture(buffer.getvalue()).png)
    assert getattr(found, "n_frames", 1) == 1
    assert found.convert("RGB").getpixel((4, 4)) == (254, 0, 0) or found.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"text", encoded(digit("7"))[:200], encoded(digit("7").convert("P"), "GIF")])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(BadPicture):
        picture(data)

"""Encoded bytes to a Pillow image, within limits that are checked before Pillow sees a byte."""

import io
import warnings
from typing import Final

from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from preprocessing.containers import Stripped, strip_metadata, webp
from preprocessing.containers.exif import UPRIGHT
from preprocessing.errors import ImageTooLarge, UndecodableImage
from preprocessing.limits import Limits

# The decoders are imported here, or Pillow would look for them on the first picture of each kind.
READERS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
# How a picture is turned upright, by the orientation that EXIF has for it.
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Twice what a drawing is averaged down to, so that nothing a model could see is lost.
DRAFT_SIDE: Final = 375
DEFAULT: Final = Limits()
# Pillow warns once for each fault of a file, so that clients could fill the log; refusals tell them what is wrong.
warnings.filterwarnings("ignore", module=r"PIL\.")


def inspect(data: bytes | memoryview, limits: Limits = DEFAULT) -> Stripped:
    """Walk a picture's file and check its size, without decoding; ``open_image`` and ``load`` go on.

    Raises:
        UnsupportedImage, UndecodableImage: as ``strip_metadata``.
        ImageTooLarge: more bytes, pixels or work for the decoder, or a longer side, than ``limits`` allow.
    """
    if limits.file_bytes is not None and len(data) > limits.file_bytes:
        raise ImageTooLarge(
            f"The image has {len(data):,} bytes; at most {limits.file_bytes:,} are allowed. Make it smaller, for example at "
            "most 1,600 pixels a side, saved as JPEG."
        )
    found = strip_metadata(data)
    if found.work > limits.of(found.format) or found.width > limits.side or found.height > limits.side:
        raise _too_large(found, limits)
    return found


def open_image(data: bytes | memoryview, limits: Limits = DEFAULT) -> Image.Image:
    """Read the header of a picture; ``load`` decodes the pixels.

    Raises:
        UnsupportedImage, UndecodableImage, ImageTooLarge: as ``inspect``.
    """
    return opened(inspect(data, limits))


def opened(found: Stripped) -> Image.Image:
    """The image of a file that was inspected, not decoded yet. Only the decoder of its format runs.

    The codes of a lossless WebP are counted here: that may take as long as a small picture, and so is not for ``inspect``.

    Raises:
        UndecodableImage: the header is truncated or corrupt, or says another size than before.
    """
    if found.format == "WEBP":
        webp.check_codes(found.data, found.width, found.height)
    try:
        image = READERS[found.format](io.BytesIO(found.data))
    except Exception as error:  # corrupt headers surface as OSError, SyntaxError, struct.error, ValueError and others
        raise UndecodableImage(f"The {found.format} header cannot be read: the file is truncated or corrupt.") from error
    if image.size != (found.width, found.height):
        raise UndecodableImage(f"The {found.format} is corrupt: it has two sizes.")
    return image


def load(image: Image.Image, orientation: int = UPRIGHT) -> Image.Image:
    """Decode the pixels of an opened picture (the first frame of an animation), turned upright from its EXIF orientation.

    A large JPEG is decoded at a half, a quarter or an eighth of its size, in grey: the decoder does that in a fraction of the
    time and memory, and every side keeps ``DRAFT_SIDE`` pixels. What the first frame of a GIF leaves free is transparent.

    Raises:
        UndecodableImage: the pixels are truncated or corrupt.
    """
    try:
        frame = None
        if image.format == "JPEG":
            image.draft("L", (DRAFT_SIDE, DRAFT_SIDE))
        elif image.format == "GIF":
            frame = _frame(image)
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise ValueError("a picture of palette colours without a palette")
        if frame is not None:
            image = _on_nothing(image, frame)
        return image.transpose(TURNS[orientation]) if orientation in TURNS else image
    except Exception as error:  # as above, and zlib.error, EOFError, IndexError from the decoders
        raise UndecodableImage(f"The {image.format} cannot be decoded: the file is truncated or corrupt.") from error


def decode(data: bytes | memoryview, limits: Limits = DEFAULT) -> Image.Image:
    """Inspect, open and load in one step.

    Raises:
        UnsupportedImage, ImageTooLarge, UndecodableImage: as ``open_image`` and ``load``.
    """
    found = inspect(data, limits)
    return load(opened(found), found.orientation)


def _frame(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of a GIF's first frame, where it leaves some of the picture free."""
    if not isinstance(image, GifImagePlugin.GifImageFile) or not image.tile:
        return None
    box = image.tile[0].extents
    return None if box is None or box == (0, 0, *image.size) else box


def _on_nothing(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of a picture in ``box``, and transparency around."""
    whole = Image.new("RGBA", image.size)
    whole.paste(image.crop(box).convert("RGBA"), box)
    whole.format = image.format
    return whole


def _too_large(found: Stripped, limits: Limits) -> ImageTooLarge:
    size, name = f"The image is {found.width}x{found.height}", found.format
    if found.width * found.height > limits.of(name):
        return ImageTooLarge(f"{size}; at most {limits.of(name):,} pixels of a {name} are allowed. Send a smaller one.")
    if max(found.width, found.height) > limits.side:
        return ImageTooLarge(f"{size}; at most {limits.side:,} pixels a side are allowed. Send a smaller one.")
    why, other = ("scans", "an ordinary JPEG, not a progressive one") if name == "JPEG" else ("runs", "PNG")
    return ImageTooLarge(
        f"{size}, and its {why} take as long to decode as {found.work:,} pixels; at most {limits.of(name):,} are allowed. "
        f"Send a smaller one, or save it as {other}."
    )

"""Decodes image files to Pillow images, within limits that are checked before Pillow sees a byte."""

import io
import warnings
from typing import Final

from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from preprocessing import png_decoder
from preprocessing.containers import StrippedImage, strip_metadata, webp
from preprocessing.containers.exif import UPRIGHT
from preprocessing.errors import ImageTooLarge, UndecodableImage
from preprocessing.limits import ImageLimits

# Imported here, or Pillow would import each decoder at the first image of its format.
READERS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
# The transposition that turns an image upright, by its EXIF orientation.
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Nearly twice the working size of preprocessing, so that nothing is lost that a model could see.
DRAFT_SIDE: Final = 375
DEFAULT: Final = ImageLimits()
# Pillow warns once for each fault of a file, so that clients could fill the log; the errors tell them what is wrong.
warnings.filterwarnings("ignore", module=r"PIL\.")


def inspect(data: bytes | memoryview, limits: ImageLimits = DEFAULT) -> StrippedImage:
    """Parse an image file and check its size, without decoding it.

    Raises:
        UnsupportedImage, UndecodableImage: as ``strip_metadata``.
        ImageTooLarge: more bytes, pixels or decoding work, or a longer side, than ``limits`` allow.
    """
    if limits.file_bytes is not None and len(data) > limits.file_bytes:
        raise ImageTooLarge(
            f"The image has {len(data):,} bytes; at most {limits.file_bytes:,} are allowed. Make it smaller, for example at "
            "most 1,600 pixels a side, saved as JPEG."
        )
    stripped = strip_metadata(data)
    if stripped.work > limits.pixels_of(stripped.format) or stripped.width > limits.side or stripped.height > limits.side:
        raise _too_large(stripped, limits)
    return stripped


def open_stripped(stripped: StrippedImage) -> Image.Image:
    """Open an inspected file without decoding its pixels. Only the decoder of its format is tried.

    The prefix codes of a lossless WebP are counted here and not in ``inspect``, because it may take as long as decoding a
    small image.

    Raises:
        UndecodableImage: the header is truncated or corrupt, or has another size than ``inspect`` found.
    """
    if stripped.format == "WEBP":
        webp.check_codes(stripped.data, stripped.width, stripped.height)
    try:
        image = READERS[stripped.format](io.BytesIO(stripped.data))
    except Exception as error:  # corrupt headers surface as OSError, SyntaxError, struct.error, ValueError and others
        raise UndecodableImage(f"The {stripped.format} header cannot be read: the file is truncated or corrupt.") from error
    if image.size != (stripped.width, stripped.height):
        raise UndecodableImage(f"The {stripped.format} is corrupt: it has two sizes.")
    return image


def load(image: Image.Image, orientation: int = UPRIGHT, colour_side: int | None = None) -> Image.Image:
    """Decode the pixels of an opened image (the first frame of an animation), and turn it upright by its EXIF orientation.

    A large JPEG is decoded in grey at a half, a quarter or an eighth of its size, in a fraction of the time and memory; every
    side keeps at least ``DRAFT_SIDE`` pixels. With ``colour_side`` it keeps its colour, and at least so many pixels. Where the
    first frame of a GIF covers only a part, the rest is transparent.

    Raises:
        UndecodableImage: the pixels are truncated or corrupt.
    """
    try:
        frame = None
        if image.format == "JPEG":
            side = max(DRAFT_SIDE, colour_side or 0)
            image.draft("RGB" if colour_side else "L", (side, side))
        elif image.format == "GIF":
            frame = _first_frame_box(image)
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise ValueError("a palette image without a palette")
        if frame is not None:
            image = _on_transparent(image, frame)
        return image.transpose(TURNS[orientation]) if orientation in TURNS else image
    except Exception as error:  # as above, and zlib.error, EOFError, IndexError from the decoders
        raise UndecodableImage(f"The {image.format} cannot be decoded: the file is truncated or corrupt.") from error


def decode(data: bytes | memoryview, limits: ImageLimits = DEFAULT, colour_side: int | None = None) -> Image.Image:
    """Inspect, open and decode an image file; ``colour_side`` as for ``load``.

    Raises:
        UnsupportedImage, ImageTooLarge, UndecodableImage: as ``inspect`` and ``decode_stripped``.
    """
    return decode_stripped(inspect(data, limits), colour_side)


def decode_stripped(found: StrippedImage, colour_side: int | None = None) -> Image.Image:
    """Open and decode an inspected file; ``colour_side`` as for ``load``.

    Raises:
        UndecodableImage: as ``open_stripped`` and ``load``.
    """
    if png_decoder.is_plain(found) and (image := png_decoder.decode_plain(found)) is not None:
        return image.transpose(TURNS[found.orientation]) if found.orientation in TURNS else image
    return load(open_stripped(found), found.orientation, colour_side)


def _first_frame_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of a GIF's first frame where it covers only a part of the image, else None."""
    if not isinstance(image, GifImagePlugin.GifImageFile) or not image.tile:
        return None
    box = image.tile[0].extents
    return None if box is None or box == (0, 0, *image.size) else box


def _on_transparent(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of an image in ``box``, on a transparent background."""
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.crop(box).convert("RGBA"), box)
    canvas.format = image.format
    return canvas


def _too_large(stripped: StrippedImage, limits: ImageLimits) -> ImageTooLarge:
    size, name = f"The image is {stripped.width}x{stripped.height}", stripped.format
    most = limits.pixels_of(name)
    if stripped.width * stripped.height > most:
        return ImageTooLarge(f"{size}; at most {most:,} pixels of a {name} are allowed. Send a smaller one.")
    if max(stripped.width, stripped.height) > limits.side:
        return ImageTooLarge(f"{size}; at most {limits.side:,} pixels a side are allowed. Send a smaller one.")
    why, other = ("scans", "an ordinary JPEG, not a progressive one") if name == "JPEG" else ("runs", "PNG")
    return ImageTooLarge(
        f"{size}, and its {why} take as long to decode as {stripped.work:,} pixels; at most {most:,} are allowed. "
        f"Send a smaller one, or save it as {other}."
    )

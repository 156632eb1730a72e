"""Encoded bytes to a Pillow image, within limits that are checked before a pixel is decoded."""

import io
from typing import Final

from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from preprocessing.limits import MAX_SCANS, Limits

# The decoders are imported here, or Pillow would look for them on the first picture of each kind.
SIGNATURES: Final = {
    PngImagePlugin.PngImageFile.format: b"\x89PNG\r\n\x1a\n",
    JpegImagePlugin.JpegImageFile.format: b"\xff\xd8\xff",
    WebPImagePlugin.WebPImageFile.format: b"RIFF",
}
READERS: Final = {"PNG": PngImagePlugin.PngImageFile, "JPEG": JpegImagePlugin.JpegImageFile}
# Twice what a drawing is averaged down to, so that nothing a model could see is lost.
DRAFT_SIDE: Final = 375
DEFAULT: Final = Limits()
SCAN: Final = b"\xff\xda"


class ImageError(Exception):
    """A picture that cannot be read; the text tells the sender why and what to do."""


class UnsupportedImage(ImageError):
    """The bytes are neither PNG nor JPEG nor WebP."""


class UndecodableImage(ImageError):
    """The bytes begin like a picture and are truncated or corrupt."""


class ImageTooLarge(ImageError):
    """The picture has more pixels than the limit."""


class NoInk(ImageError):
    """Nothing is drawn on the picture."""


def image_format(data: bytes) -> str | None:
    """The Pillow format name ("PNG", "JPEG", "WEBP") that the first bytes announce, or None."""
    for name, signature in SIGNATURES.items():
        if data.startswith(signature) and (name != "WEBP" or data[8:12] == b"WEBP"):
            return name
    return None


def open_image(data: bytes, limits: Limits = DEFAULT) -> Image.Image:
    """Read the header of a PNG, JPEG or WebP picture; ``load`` decodes the pixels.

    The format is taken from the content, never from a name or a header, and only that format's decoder runs.

    Raises:
        UnsupportedImage: another format.
        ImageTooLarge: more pixels, or a longer side, than ``limits`` allow.
        UndecodableImage: the header is truncated or corrupt.
    """
    name = image_format(data)
    if name is None:
        raise UnsupportedImage(
            "The content is not PNG, JPEG or WebP. Send the bytes of such a picture; addresses are never fetched."
        )
    try:
        image = _opened(data, name)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"The image has more than the {limits.of(name):,} pixels allowed. Send a smaller one.") from error
    except Exception as error:  # corrupt headers surface as OSError, SyntaxError, struct.error, ValueError and others
        raise UndecodableImage(f"The {name} header cannot be read: the file is truncated or corrupt.") from error
    if image.width * image.height > limits.of(name):
        raise ImageTooLarge(
            f"The image is {image.width}x{image.height}; at most {limits.of(name):,} pixels of a {name} are allowed. "
            "Send a smaller one."
        )
    if max(image.size) > limits.side:
        raise ImageTooLarge(
            f"The image is {image.width}x{image.height}; at most {limits.side:,} pixels a side are allowed. Send a smaller one."
        )
    if name == "JPEG" and data.count(SCAN) > MAX_SCANS:
        raise UndecodableImage(f"The JPEG has more than {MAX_SCANS} scans, as no camera writes. Save it again.")
    return image


def _opened(data: bytes, name: str) -> Image.Image:
    """As ``Image.open``, but without its search for a decoder, which takes time: for a PNG or JPEG within Pillow's own limit.

    A JPEG with more pictures behind the first, as phones write them, stays one: Pillow's MPO would not be known to ``load``.
    """
    reader = READERS.get(name)
    if reader is not None:
        image = reader(io.BytesIO(data))
        if image.width * image.height <= (Image.MAX_IMAGE_PIXELS or 0):
            return image
    return Image.open(io.BytesIO(data), formats=[name])


def load(image: Image.Image) -> Image.Image:
    """Decode the pixels of an opened picture (the first frame of an animation), turned upright as its EXIF says.

    A large JPEG is decoded at a half, a quarter or an eighth of its size, in grey: the decoder does that in a fraction of the
    time and memory, and every side keeps ``DRAFT_SIDE`` pixels.

    Raises:
        UndecodableImage: the pixels are truncated or corrupt.
    """
    try:
        if image.format == "JPEG":
            image.draft("L", (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise ValueError("a picture of palette colours without a palette")
        return ImageOps.exif_transpose(image) if "exif" in image.info else image
    except Exception as error:  # as above, and zlib.error, EOFError, IndexError from the decoders
        raise UndecodableImage(f"The {image.format} cannot be decoded: the file is truncated or corrupt.") from error


def decode(data: bytes, limits: Limits = DEFAULT) -> Image.Image:
    """Open and load in one step.

    Raises:
        UnsupportedImage, ImageTooLarge, UndecodableImage: as ``open_image`` and ``load``.
    """
    return load(open_image(data, limits))

"""Decodes plain PNG files with the Rust decoder of kornia-rs, which takes a sixth of Pillow's time for a drawing."""

from typing import Final

from kornia_rs import io
from PIL import Image

from preprocessing.containers import StrippedImage

# The modes of Pillow and of kornia-rs by the colour type of the header: grey, RGB, RGBA.
MODES: Final = {0: ("L", "mono"), 2: ("RGB", "rgb"), 6: ("RGBA", "rgba")}
# kornia-rs holds Python's lock while it decodes, which Pillow does not. Up to these sizes that is a millisecond or two of an
# ordinary drawing, and five of a file that is crafted to take long.
MAX_PIXELS: Final = 2_000_000
MAX_BYTES: Final = 262_144
# A fault of the Rust code is raised as this class, which is no ``Exception``, and can be imported from nowhere.
PANIC: Final = "PanicException"
# Where the header of a PNG has its bit depth, colour type and interlace method, and where the next chunk begins.
_DEPTH, _COLOUR, _INTERLACE, _BODY = 24, 25, 28, 33


def is_plain(found: StrippedImage) -> bool:
    """Whether a file is a PNG that ``decode_plain`` may decode: not too large, in 8 bits, grey, RGB or RGBA, not interlaced and
    without a transparent colour."""
    data = found.data
    return (
        found.format == "PNG"
        and len(data) <= MAX_BYTES
        and found.width * found.height <= MAX_PIXELS
        and data[_DEPTH] == 8
        and data[_COLOUR] in MODES
        and data[_INTERLACE] == 0
        and data.find(b"tRNS", _BODY, data.find(b"IDAT", _BODY)) < 0
    )


def decode_plain(found: StrippedImage) -> Image.Image | None:
    """The pixels of a plain PNG, or None where it is not intact: Pillow then decodes it, or says what is wrong."""
    mode, name = MODES[found.data[_COLOUR]]
    try:
        pixels = io.decode_image_png_u8(found.data, (found.height, found.width), name)
    except Exception:  # kornia-rs raises nothing more specific
        return None
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        return None
    return Image.frombuffer(mode, (found.width, found.height), pixels, "raw", mode, 0, 1)

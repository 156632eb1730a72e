"""Where the ink is: a picture of any mode and polarity to one channel, 0 for paper and 255 for the darkest stroke."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.decode import NoInk

# Larger pictures are shrunk by a whole factor first: a stroke keeps far more pixels than any model looks at.
WORK_SIDE: Final = 512
# Grey levels (0..255) below which a difference from the paper is noise, and nothing counts as drawn.
MIN_CONTRAST: Final = 24
# Share of the strongest ink below which a pixel counts as paper.
FLOOR: Final = 0.12

_EMPTY = "Nothing is drawn on the image. Draw a stroke, or send a picture with more contrast."


def shrink(image: Image.Image) -> Image.Image:
    """Box-average by the smallest whole factor that brings the longer side to ``WORK_SIDE`` or less."""
    factor = -(-max(image.size) // WORK_SIDE)
    if factor == 1:
        return image
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.reduce(factor)


def luminance(image: Image.Image) -> Image.Image:
    """Mode "L" picture of what a viewer sees, transparency laid on a background that lets the ink stand out.

    Visible pixels of one colour are ink on nothing: their opacity is the ink, whatever the colour. Visible pixels of several
    colours hold their own paper, so the transparent rest gets the most frequent visible luminance.

    Raises:
        NoInk: every pixel is as good as transparent.
    """
    if not image.has_transparency_data:
        return grey(image)
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A")
    lowest, highest = extrema(alpha)
    if highest < MIN_CONTRAST:
        raise NoInk(_EMPTY)
    if lowest == 255:
        return image.convert("L")
    opaque = image.convert("L")
    visible = np.asarray(opaque.histogram(alpha.point(_VISIBLE)))
    levels = np.flatnonzero(visible)
    if levels[-1] - levels[0] < 2 * MIN_CONTRAST:
        return alpha
    paper = Image.new("L", image.size, int(visible.argmax()))
    paper.paste(opaque, mask=alpha)
    return paper


def grey(image: Image.Image) -> Image.Image:
    """Mode "L" picture of an opaque image of any mode; 16-bit and float ranges are stretched to 0..255."""
    if image.mode == "L":
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        levels = np.asarray(image, dtype=np.float64)
        low, high = float(levels.min()), float(levels.max())
        scaled = (levels - low) * (255 / (high - low)) if high > low else np.zeros_like(levels)
        return Image.fromarray(scaled.astype(np.uint8))
    return image.convert("L")


def paper_level(image: Image.Image) -> int:
    """Grey level (0..255) of the paper of an "L" picture, from its border and its histogram.

    The two sides of Otsu's threshold (IEEE Trans. SMC 9(1), 1979) compete: the side that holds more of the border and of the
    whole picture is paper, the border counting twice because a digit seldom fills it. The level is that side's median.
    """
    counts = np.asarray(image.histogram(), dtype=np.float64)
    threshold = otsu(counts)
    pixels = np.asarray(image)
    border = np.concatenate((pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]))
    light_border = float(np.count_nonzero(border > threshold)) / border.size
    light_all = float(counts[threshold + 1 :].sum() / counts.sum())
    light = 2 * light_border + light_all > 1.5
    side = counts.copy()
    if light:
        side[: threshold + 1] = 0
    else:
        side[threshold + 1 :] = 0
    cumulative = side.cumsum()
    return int(np.searchsorted(cumulative, cumulative[-1] / 2))


def otsu(counts: npt.NDArray[np.float64]) -> int:
    """The level that splits a 256-bin histogram into two classes of greatest between-class variance."""
    weight = counts.cumsum()
    mass = (counts * _LEVELS).cumsum()
    rest = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (mass[-1] * weight / weight[-1] - mass) ** 2 / (weight * rest)
    return int(np.nan_to_num(variance, nan=0.0, posinf=0.0).argmax())


def ink(image: Image.Image) -> Image.Image:
    """Ink of an "L" picture as an "L" picture: 0 is paper, 255 the strongest stroke.

    Raises:
        NoInk: no pixel differs from the paper by ``MIN_CONTRAST`` grey levels.
    """
    lowest, highest = extrema(image)
    if highest - lowest < MIN_CONTRAST:
        raise NoInk(_EMPTY)
    paper = paper_level(image)
    strongest = max(highest - paper, paper - lowest)
    if strongest < MIN_CONTRAST:
        raise NoInk(_EMPTY)
    difference = np.arange(256) - paper
    if highest - paper < paper - lowest:
        difference = -difference
    stretched = np.clip(difference * (255 / strongest), 0, 255)
    stretched[stretched < FLOOR * 255] = 0
    return image.point(stretched.astype(np.uint8).tolist())


def extrema(image: Image.Image) -> tuple[int, int]:
    """Lowest and highest grey level of an "L" picture."""
    lowest, highest = image.getextrema()
    assert isinstance(lowest, int) and isinstance(highest, int)
    return lowest, highest


_LEVELS: Final = np.arange(256, dtype=np.float64)
_VISIBLE: Final = [0] * MIN_CONTRAST + [255] * (256 - MIN_CONTRAST)

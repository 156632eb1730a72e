"""Where a thing is: a picture of it before an even ground to the thing alone, light on black, as a negative shows it.

A ground of one level takes the short way and is exact. Under uneven light and noise, the ground is a plane through the levels
along the border, and the thing is what stands out from it.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from preprocessing import components, geometry
from preprocessing.components import Mask, Piece
from preprocessing.decode import NoInk
from preprocessing.ink import extrema, grey
from preprocessing.levels import Box, Grey, levels, picture
from preprocessing.spec import InputSpec

Levels = npt.NDArray[np.float32]

# The place of the thing is looked for in a picture averaged down until its longer side is at most this.
WORK_SIDE: Final = 112
# Pictures and things of no more pixels along the longer side are made for models: every level counts, nothing is dust.
SMALL: Final = 64
TINY: Final = 32
# Share of the border levels near the ground's that must be the ground's own where it is even.
EVEN: Final = 0.9
EVEN_TINY: Final = 0.5
NEAR: Final = 2
# A thing stands out by so many levels, by this share of its strongest pixel, and by so many deviations of the ground.
LEAST_CONTRAST: Final = 6
MIN_SHARE: Final = 0.03
NOISE_FACTOR: Final = 4.0
# Standard deviations of a normal distribution in its median distance from the middle.
DEVIATION: Final = 1.4826
# The part of each side along the border that is taken for ground, the corners thrice as likely.
RING: Final = 0.05
RING_PIXELS: Final = 800
FITS: Final = 8
# Pieces of this share of the heaviest belong to the thing wherever they are: the other shoe.
LARGE: Final = 0.25
# Share of the picture that is dust.
DUST: Final = 0.0005
MOST_PIECES: Final = 30
# Pixels below this opacity are transparent, and so is a picture with this share of them.
CLEAR: Final = 24
CLEAR_SHARE: Final = 0.05
# What is as light as the ground, or lighter than a light one, still shows where it is.
FAINT: Final = 16
# The strongest level of a thing becomes 255, as everywhere in Fashion-MNIST, but weak ones are not lifted further than this.
WHITE: Final = 254
MAX_GAIN: Final = 4.0

_EMPTY: Final = "Nothing stands out from the ground. Send a picture of one thing before a plain ground, with more contrast."


class Ground(NamedTuple):
    """The level of the ground, a plane over a picture whose sides run from 0 to 1, and what lies nearer to it is noise."""

    level: float
    across: float
    down: float
    tolerance: float

    def over(self, height: int, width: int) -> Levels:
        """The level of every pixel, ``float32[H,W]``."""
        xs = np.arange(0.5, width, dtype=np.float32) / width * np.float32(self.across)
        ys = np.arange(0.5, height, dtype=np.float32) / height * np.float32(self.down)
        plane: Levels = xs + ys[:, None] + np.float32(self.level)
        return plane

    def within(self, box: Box, size: tuple[int, int]) -> "Ground":
        """The ground of a part of the picture."""
        left, top, right, bottom = box
        width, height = size
        level = self.level + self.across * left / width + self.down * top / height
        return Ground(level, self.across * (right - left) / width, self.down * (bottom - top) / height, self.tolerance)

    def negative(self) -> "Ground":
        """The ground of the negative."""
        return Ground(255 - self.level, -self.across, -self.down, self.tolerance)


class Thing(NamedTuple):
    """A thing cropped out of its picture, lighter than its ground; ``mask`` is where it is, or None for everywhere."""

    crop: Image.Image
    ground: Ground
    mask: Image.Image | None


def place(thing: Thing, spec: InputSpec) -> Grey:
    """The frame of a thing: fitted into the box, its ground black, centred, in the polarity of the model."""
    frame = geometry.centre(alone(thing, geometry.fit(thing.crop, spec.geometry.fit_box, Image.Resampling.BOX)), spec)
    return 255 - frame if spec.geometry.polarity == "dark_on_light" else frame


def alone(thing: Thing, fitted: Grey) -> Grey:
    """The levels of a scaled crop above its ground: 0 is the ground, 255 is white or the strongest level."""
    if thing.ground[:2] == (0, 0) and thing.mask is None:
        lifted = fitted
    else:
        ground = thing.ground.over(*fitted.shape)
        above = fitted - ground
        scaled = above * (255 / np.maximum(255 - ground, 1))
        scaled[above < -max(thing.ground.tolerance, 0.5)] = FAINT
        if thing.mask is not None:
            scaled[levels(thing.mask.resize(fitted.shape[::-1], Image.Resampling.BOX)) == 0] = 0
        lifted = (np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)
    strongest = int(np.maximum.reduce(lifted, axis=None))
    return lifted if strongest >= WHITE or strongest == 0 else _LIFTED[strongest].take(lifted)


def opaque(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Mode "L" picture of what a viewer sees, and the level of its ground where the picture itself says it.

    Transparency is ground, and what is visible is laid on white and shown as a negative. So 0 is the ground, and whatever is
    white keeps a faint level.

    Raises:
        NoInk: every pixel is as good as transparent.
    """
    if not image.has_transparency_data:
        return grey(image), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A")
    if extrema(alpha)[1] < CLEAR:
        raise NoInk(_EMPTY)
    white = Image.new("L", image.size, 255)
    white.paste(image.convert("L"), mask=alpha)
    if sum(alpha.histogram()[:CLEAR]) < CLEAR_SHARE * image.width * image.height:
        return white, None
    seen = np.maximum(255 - levels(white), levels(alpha, _FAINT))
    return picture(seen), 0


def find(light: Image.Image, level: int | None = None) -> Thing:
    """The thing on an "L" picture; ``level`` is the level of the ground where it is known.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    if level is None:
        level = even_ground(light)
    return on_even_ground(light, level) if level is not None else on_uneven_ground(light)


def even_ground(light: Image.Image) -> int | None:
    """The level of the ground where nearly all pixels of the border have it or are far from it, else None."""
    width, height = light.size
    sides = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
    border = b"".join([light.crop(side).tobytes() for side in sides])
    counts = np.bincount(np.frombuffer(border, dtype=np.uint8), minlength=256)
    level = int(counts.argmax())
    own, near = int(counts[level]), int(np.add.reduce(counts[max(0, level - NEAR) : level + NEAR + 1]))
    if max(width, height) <= TINY:
        return level if own >= EVEN_TINY * near else None
    return level if own >= EVEN * near and own >= len(border) / 4 else None


def on_even_ground(light: Image.Image, level: int) -> Thing:
    """The thing on a ground of one level. All of a small one is kept, a larger one is looked at for dust.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    # No way through the box of the whole picture may depend on where in it the thing is, or on how much ground is around.
    box = _standing_out(light, level, 0)
    crop = light.crop(box)
    counts = np.array(crop.histogram())
    present = counts.nonzero()[0]
    contrast = max(int(present[-1]) - level, level - int(present[0]))
    if contrast < LEAST_CONTRAST:
        raise NoInk(_EMPTY)
    tolerance = 0.0
    if max(crop.size) > SMALL:
        tolerance = max(float(LEAST_CONTRAST), MIN_SHARE * contrast) - 1
        work, factor = shrink(crop)
        ground = Ground(level, 0, 0, tolerance)
        standing = np.abs(levels(work).astype(np.int16) - level)
        pieces = thing_pieces(standing > min(tolerance, float(standing.max()) / 2), standing)[0]
        crop = crop.crop(enlarged(around(pieces), factor, crop.size))
        crop = crop.crop(_standing_out(crop, level, int(tolerance)))
        counts = np.array(crop.histogram())
    ground = Ground(level, 0, 0, tolerance)
    differences = (np.arange(256) - level) * counts
    lighter, darker = int(differences[level:].sum()), -int(differences[:level].sum())
    return Thing(*_light_on_dark(crop, ground, lighter, darker), None)


def on_uneven_ground(light: Image.Image) -> Thing:
    """The thing on a ground with noise, or under light that falls off.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    work, factor = shrink(light)
    calm = levels(work.filter(ImageFilter.MedianFilter(3)))
    ground = fitted_ground(calm)
    above = calm - ground.over(*calm.shape)
    standing = np.abs(above)
    pieces, labels = thing_pieces(standing > ground.tolerance, standing)
    mask = np.isin(labels, [piece.label for piece in pieces])
    kept = above[mask]
    box = around(pieces)
    crop = light.crop(full := enlarged(box, factor, light.size))
    left, top, right, bottom = box
    shape = picture(components.grown(mask)[top:bottom, left:right].astype(np.uint8) * 255)
    lighter, darker = float(kept[kept > 0].sum()), -float(kept[kept < 0].sum())
    return Thing(*_light_on_dark(crop, ground.within(full, light.size), lighter, darker), shape)


def shrink(light: Image.Image) -> tuple[Image.Image, int]:
    """An "L" picture averaged down by the smallest whole factor that leaves at most ``WORK_SIDE`` pixels, and that factor."""
    factor = -(-max(light.size) // WORK_SIDE)
    return (light.reduce(factor) if factor > 1 else light), factor


def fitted_ground(pixels: Grey) -> Ground:
    """The plane through the levels along the border, and its noise: ``uint8[H,W]``.

    Least squares with weights that fall with the distance from the plane (Holland and Welsch, "Robust regression using
    iteratively reweighted least-squares", Communications in Statistics 6(9), 1977), so that a thing may reach out of the
    picture.
    """
    height, width = pixels.shape
    ys, xs, weights = _border(height, width)
    values = pixels[ys, xs].astype(np.float64)
    terms = np.stack([np.ones(len(xs)), (xs + 0.5) / width, (ys + 0.5) / height], axis=1)
    plane = np.array([_median(values), 0, 0])
    for _ in range(FITS):
        distance = np.abs(values - terms.dot(plane))
        spread = max(1.0, _median(distance))
        weighted = terms * (weights / (1 + (distance / spread) ** 2))[:, None]
        plane = np.linalg.lstsq(weighted.T.dot(terms), weighted.T.dot(values), rcond=None)[0]
    distance = np.abs(values - terms.dot(plane))
    noise = DEVIATION * _median(distance[distance <= 3 * max(1.0, DEVIATION * _median(distance))])
    level, across, down = plane.tolist()
    return Ground(level, across, down, max(float(LEAST_CONTRAST), NOISE_FACTOR * noise))


def _median(values: npt.NDArray[np.float64]) -> float:
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


@lru_cache(maxsize=64)
def _border(height: int, width: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Rows, columns and weights of the pixels along the border."""
    deep, wide = max(1, round(RING * height)), max(1, round(RING * width))
    weights = np.zeros((height, width))
    for rows in (slice(None, deep), slice(-deep, None)):
        weights[rows] += 1
    for columns in (slice(None, wide), slice(-wide, None)):
        weights[:, columns] += 1
    ys, xs = weights.nonzero()
    step = -(-len(ys) // RING_PIXELS)
    ys, xs = ys[::step], xs[::step]
    return ys, xs, weights[ys, xs] ** 1.5


def thing_pieces(mask: Mask, standing: npt.NDArray[np.generic]) -> tuple[list[Piece], components.Labels]:
    """The pieces that belong to the thing: the heaviest, others of some weight, and what lies near; and the labels of all.

    Raises:
        NoInk: there is none.
    """
    labels, count = components.label(mask)
    line = labels.ravel()
    areas = np.bincount(line, minlength=count + 1)
    mass = np.bincount(line, weights=standing.ravel(), minlength=count + 1)
    mass[areas < DUST * mask.size] = 0
    mass[0] = 0
    heaviest = np.argsort(-mass)[:MOST_PIECES].tolist()
    pieces = [
        Piece(i, float(mass[i]), int(mass[i] / areas[i]), components.bounds(labels == i)[0]) for i in heaviest if mass[i] > 0
    ]
    if not pieces:
        raise NoInk(_EMPTY)
    kept = components.choose(pieces, mask.shape)
    least = LARGE * max(piece.mass for piece in kept)
    kept += [piece for piece in pieces if piece not in kept and piece.mass >= least and _is_inside(piece.box, mask.shape)]
    return kept, labels


def _is_inside(box: Box, shape: tuple[int, ...]) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < shape[1] and box[3] < shape[0]


def around(pieces: list[Piece]) -> Box:
    """The box of all pieces."""
    lefts, tops, rights, bottoms = zip(*(piece.box for piece in pieces), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def enlarged(box: Box, factor: int, size: tuple[int, int]) -> Box:
    """The box in the picture of this size that was averaged down by ``factor``."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, size[0]), min(bottom, size[1])


def _light_on_dark(crop: Image.Image, ground: Ground, lighter: float, darker: float) -> tuple[Image.Image, Ground]:
    """The crop or its negative: what is darker than a light ground weighs more than what is lighter than it, and vice versa."""
    middle = min(255.0, max(0.0, ground.level + (ground.across + ground.down) / 2))
    if darker * middle >= lighter * (255 - middle):
        return picture(levels(crop, _NEGATIVE)), ground.negative()
    return crop, ground


def _standing_out(light: Image.Image, level: int, tolerance: int) -> Box:
    """The box of all that differs from the level by more than the tolerance."""
    distant = light if level == 0 and tolerance == 0 else picture(levels(light, _distance(level, tolerance)))
    box = distant.getbbox()
    if box is None:
        raise NoInk(_EMPTY)
    return box


@lru_cache(maxsize=256)
def _distance(level: int, tolerance: int) -> bytes:
    return bytes(255 * (abs(np.arange(256) - level) > tolerance).astype(np.uint8))


_NEGATIVE: Final = bytes(range(255, -1, -1))
_FAINT: Final = bytes(FAINT * opacity // 255 for opacity in range(256))
_LIFTED: Final = np.minimum(
    np.arange(256) * np.minimum(MAX_GAIN, 255 / np.maximum(np.arange(256), 1))[:, None] + 0.5, 255
).astype(np.uint8)

"""Pictures of scanned digits changed into what a mouse, a pen or a finger might have drawn."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

ENLARGEMENT: Final = 3
MARGIN: Final = 6
# Distances in pixels of the enlarged picture: a stroke of MNIST is about 8 wide there.
GRID: Final = 4


def vary(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:
    """A written digit (``uint8[rows, columns]``, white on black), larger and written otherwise: mode "L", any size.

    Its strokes are hardened as a brush would leave them, made thicker or thinner, and the whole is bent, slanted, turned
    and stretched. What comes out is a picture as a client might post it: it still has to go through preprocessing.
    """
    padded = Image.fromarray(np.pad(picture, MARGIN))
    large = padded.resize((padded.width * ENLARGEMENT, padded.height * ENLARGEMENT), Image.Resampling.BICUBIC)
    if hand.random() < 0.75:
        large = bend(large, hand)
    if hand.random() < 0.6:
        large = thicken(large, int(hand.choice([-2, -1, 1, 1, 2])))
    if hand.random() < 0.5:
        large = harden(large, hand.uniform(0.35, 0.6))
    if hand.random() < 0.12:
        side = int(hand.integers(18, 48))
        large = large.resize((side, side), Image.Resampling.BOX)
    return large


def bend(image: Image.Image, hand: np.random.Generator) -> Image.Image:
    """An affine change (turn, slant, stretch) and an elastic one (Simard et al., ICDAR 2003, on a coarse grid)."""
    turn, slant = np.deg2rad(hand.normal(0, 6)), hand.normal(0, 0.14)
    wide, tall = np.exp(hand.normal(0, 0.1, 2))
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, slant], [0, 1]]) @ np.diag([wide, tall])
    middle = np.array(image.size) / 2
    lines = np.linspace(0, 1, GRID + 1)
    corners = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1) * image.size
    strength = abs(hand.normal(0, 0.022)) * max(image.size)
    source = (corners - middle) @ matrix.T + middle + hand.normal(0, strength, corners.shape)
    mesh = []
    for column in range(GRID):
        for row in range(GRID):
            left, top = corners[column, row].round().astype(int).tolist()
            right, bottom = corners[column + 1, row + 1].round().astype(int).tolist()
            quad = [source[column, row], source[column, row + 1], source[column + 1, row + 1], source[column + 1, row]]
            mesh.append(((left, top, right, bottom), tuple(np.concatenate(quad).tolist())))
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def thicken(image: Image.Image, pixels: int) -> Image.Image:
    """Strokes wider (``pixels`` > 0) or thinner (< 0) by this many pixels on either side; never so thin that ink is lost."""
    if pixels == 0:
        return image
    kernel = 2 * abs(pixels) + 1
    if pixels > 0:
        return image.filter(ImageFilter.MaxFilter(kernel))
    thinner = image.filter(ImageFilter.MinFilter(kernel))
    # Hair strokes vanish first and would leave a digit in pieces: then it stays as it was.
    return thinner if _inked(thinner) > 0.35 * _inked(image) else image


def harden(image: Image.Image, level: float) -> Image.Image:
    """Grey edges made as sharp as a brush leaves them: below ``level`` (0..1) to paper, above to ink, over a short ramp."""
    ramp = np.clip((np.arange(256) / 255 - level) * 6 + 0.5, 0, 1) * 255
    hard = image.point(ramp.astype(np.uint8).tolist())
    return hard if hard.getbbox() else image


def _inked(image: Image.Image) -> int:
    return int(np.count_nonzero(np.asarray(image) > 127))

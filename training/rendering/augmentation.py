"""Augments scanned characters into what a mouse, a pen or a finger might have drawn."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

ENLARGEMENT: Final = 3
MARGIN: Final = 6
# Cells of the elastic distortion along each side.
GRID: Final = 4


def augment_scan(scan: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Enlarge and distort a scan ``uint8[rows, columns]``, white on black, and change its strokes: mode "L", any size.

    Strokes become thicker or thinner, and some sharp as a brush draws them; the whole is rotated, sheared, stretched and bent.
    The result is an image as a client might send it: it is still to be preprocessed.
    """
    padded = Image.fromarray(np.pad(scan, MARGIN))
    large = padded.resize((padded.width * ENLARGEMENT, padded.height * ENLARGEMENT), Image.Resampling.BICUBIC)
    if rng.random() < 0.75:
        large = distort(large, rng)
    if rng.random() < 0.6:
        # In pixels of the enlarged image, where a stroke of MNIST is about 8 wide.
        large = thicken(large, int(rng.choice([-2, -1, 1, 1, 2])))
    if rng.random() < 0.5:
        large = sharpen(large, rng.uniform(0.35, 0.6))
    if rng.random() < 0.12:
        side = int(rng.integers(18, 48))
        large = large.resize((side, side), Image.Resampling.BOX)
    return large


def distort(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Apply an affine and an elastic distortion (Simard et al., ICDAR 2003, on a coarse grid)."""
    rotation, shear = np.deg2rad(rng.normal(0, 6)), rng.normal(0, 0.14)
    wide, tall = np.exp(rng.normal(0, 0.1, 2))
    cosine, sine = np.cos(rotation), np.sin(rotation)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]]) @ np.diag([wide, tall])
    middle = np.array(image.size) / 2
    lines = np.linspace(0, 1, GRID + 1)
    corners = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1) * image.size
    strength = abs(rng.normal(0, 0.022)) * max(image.size)
    source = (corners - middle) @ matrix.T + middle + rng.normal(0, strength, corners.shape)
    mesh = []
    for column in range(GRID):
        for row in range(GRID):
            left, top = corners[column, row].round().astype(int).tolist()
            right, bottom = corners[column + 1, row + 1].round().astype(int).tolist()
            quad = [source[column, row], source[column, row + 1], source[column + 1, row + 1], source[column + 1, row]]
            mesh.append(((left, top, right, bottom), tuple(np.concatenate(quad).tolist())))
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def thicken(image: Image.Image, pixels: int) -> Image.Image:
    """Make strokes wider (``pixels`` > 0) or thinner (< 0) by this many pixels on either side, without losing ink."""
    if pixels == 0:
        return image
    kernel = 2 * abs(pixels) + 1
    if pixels > 0:
        return image.filter(ImageFilter.MaxFilter(kernel))
    thinner = image.filter(ImageFilter.MinFilter(kernel))
    # Thin strokes would vanish and leave the digit in pieces: then it stays as it was.
    return thinner if _count_ink(thinner) > 0.35 * _count_ink(image) else image


def sharpen(image: Image.Image, level: float) -> Image.Image:
    """Sharpen grey edges: levels below ``level`` (0..1) become paper, those above ink, over a short ramp."""
    ramp = np.clip((np.arange(256) / 255 - level) * 6 + 0.5, 0, 1) * 255
    sharp = image.point(ramp.astype(np.uint8).tolist())
    return sharp if sharp.getbbox() else image


def _count_ink(image: Image.Image) -> int:
    return int(np.count_nonzero(np.asarray(image) > 127))

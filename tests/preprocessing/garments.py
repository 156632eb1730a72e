"""Drawn garments, light on black, as in Fashion-MNIST."""

import numpy as np
from PIL import Image, ImageDraw

from preprocessing.pixels import Grey


def shirt(side: int = 28) -> Grey:
    """A shirt with stripes, a dark pocket and cuffs, light on black, as high as the picture."""
    image = Image.new("L", (112, 112))
    draw = ImageDraw.Draw(image)
    outline = [(40, 0), (72, 0), (108, 24), (100, 104), (88, 104), (86, 40), (84, 111), (28, 111), (26, 40), (24, 104)]
    draw.polygon([*outline, (12, 104), (4, 24)], fill=150)
    for top in range(20, 100, 24):
        draw.rectangle((32, top, 80, top + 8), fill=255)
    draw.rectangle((60, 30, 76, 46), fill=40)
    draw.rectangle((12, 96, 24, 104), fill=220)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def shoe(side: int = 28) -> Grey:
    """A shoe with a light sole, light on black, as wide as the picture."""
    image = Image.new("L", (112, 112))
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 72), (4, 36), (40, 32), (68, 56), (108, 64), (111, 72)], fill=190)
    draw.rectangle((0, 72, 111, 79), fill=255)
    draw.line([(44, 40), (64, 56)], fill=60, width=4)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))

"""Draws numbers as displays and meters show them: seven segments, and printed digits in the windows of a counter."""

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# The segments a to g (top, upper and lower right, bottom, lower and upper left, middle) of each digit.
SEGMENTS: Final = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
CENTRES: Final = {"a": (0.5, 0), "b": (1, 0.5), "c": (1, 1.5), "d": (0.5, 2), "e": (0, 1.5), "f": (0, 0.5), "g": (0.5, 1)}
# The width of a digit in pixels, its thickness and the slant as shares of it, and the space to the next one.
SIDE: Final = 50
THICK: Final = 0.2
SLANT: Final = 0.1
PITCH: Final = 1.65
GAP: Final = 0.06


def seven_segments(text: str, rng: np.random.Generator, *, lit: bool) -> Image.Image:
    """Draw a number with seven segments, ``lit`` (light on dark) or as liquid crystals (dark on grey): mode "RGB"."""
    paper = (12, 10, 14) if lit else (168, 178, 160)
    pen = [(255, 60, 40), (90, 255, 120), (120, 190, 255)][int(rng.integers(3))] if lit else (35, 40, 40)
    image = Image.new("RGB", (round(SIDE * (PITCH * len(text) + 1.2)), round(SIDE * 3.4)), paper)
    draw = ImageDraw.Draw(image)
    for place, character in enumerate(text):
        for segment in SEGMENTS[int(character)]:
            x, y = CENTRES[segment]
            reach = 0.5 - GAP
            ends = [(x - reach, y), (x + reach, y)] if segment in "adg" else [(x, y - reach), (x, y + reach)]
            dots = [(SIDE * (0.8 + PITCH * place + across + SLANT * (2 - down)), SIDE * (0.7 + down)) for across, down in ends]
            draw.line(dots, fill=pen, width=round(THICK * SIDE))
    return image.filter(ImageFilter.GaussianBlur(1.2 if lit else 0.7))


def counter(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw a number as the counter of a meter shows it, each digit light in a dark window of a grey plate: mode "RGB"."""
    image = Image.new("RGB", (round(SIDE * (1.3 * len(text) + 0.8)), round(SIDE * 2.6)), (150, 150, 152))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(SIDE * 1.3)
    for place, character in enumerate(text):
        left, top = SIDE * (0.5 + 1.3 * place), SIDE * 0.4
        draw.rectangle((left, top, left + SIDE, top + 1.8 * SIDE), fill=(18, 18, 20))
        at = left + SIDE / 2, top + SIDE * (0.9 + rng.uniform(-0.06, 0.06))
        draw.text(at, character, fill=(235, 235, 230), font=font, anchor="mm")
    return image.filter(ImageFilter.GaussianBlur(0.8))


def dial_readout(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw a printed number, light on one dark strip, as a meter with a single window shows it: mode "RGB"."""
    image = Image.new("RGB", (round(SIDE * (len(text) + 1.5)), round(SIDE * 2.4)), (20, 20, 24))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(SIDE * 1.3)
    for place, character in enumerate(text):
        at = SIDE * (1.2 + place), SIDE * (1.2 + rng.uniform(-0.05, 0.05))
        draw.text(at, character, fill=(235, 235, 230), font=font, anchor="mm")
    return image.filter(ImageFilter.GaussianBlur(0.8))

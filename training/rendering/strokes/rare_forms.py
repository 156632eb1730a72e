"""The strokes of forms that few scans have: long tails, hooked heads, detached flags, slim bellies, knots, and displays."""

from collections.abc import Callable
from typing import Final

from numpy.random import Generator

from training.rendering.strokes.curves import Path, curve, joined, line, loop

# The corners of a display of seven bars: left and right (0, 1), top, middle and bottom (0, 1, 2).
DISPLAY: Final = {
    0: ("00 10 12 02 00",),
    1: ("10 12",),
    2: ("00 10 11 01 02 12",),
    3: ("00 10 12 02", "01 11"),
    4: ("00 01 11", "10 12"),
    5: ("10 00 01 11 12 02",),
    6: ("10 00 02 12 11 01",),
    7: ("00 10 12",),
    8: ("01 00 10 12 02 01 11",),
    9: ("11 01 00 10 12 02",),
}
WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# A 6 and a 9 of a display may lack the outer bar; a 4 and a 7 may be drawn in one stroke or with a bar more.
SHORT_DISPLAY: Final = {6: ("00 02 12 11 01",), 9: ("11 01 00 10 12",), 4: ("00 01 11 10 12",), 7: ("01 00 10 12",)}


def two_long_looped(rng: Generator) -> list[Path]:
    """The neck ends in a wide loop, and the base runs on in a long wave."""
    w, size = rng.uniform(0.2, 0.34), rng.uniform(0.1, 0.24)
    top = ((-w, rng.uniform(0.1, 0.25)), (-w * 0.4, 0.01), (w * 0.7, 0.06), (w * 0.8, 0.3), (w * 0.1, 0.68))
    low = ((-w * 0.8, 1 - size * 0.2), (-w - size, 1 - size), (-w * 0.5, 1 - 1.6 * size), (w * 0.5, 0.97 - size * 0.3))
    return [curve(rng, *top, *low, (w * rng.uniform(1.6, 3.2), rng.uniform(0.86, 1.08)))]


def three_slim(rng: Generator) -> list[Path]:
    """One narrow stroke with a shallow notch in place of two bellies."""
    w, waist = rng.uniform(0.1, 0.2), rng.uniform(0.38, 0.54)
    notch = w * rng.uniform(-0.1, 0.55)
    top = ((-w * rng.uniform(0.8, 1.6), rng.uniform(0.02, 0.14)), (0, 0), (w, waist * 0.4), (notch, waist))
    return [curve(rng, *top, (w * 1.1, waist + (1 - waist) * 0.45), (w * 0.5, 0.93), (-w * rng.uniform(0.8, 2), 0.97))]


def four_without_stem(rng: Generator) -> list[Path]:
    """Down and across; the second stroke is missing, or a short rest of it is left."""
    w, bar = rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.85)
    right = rng.uniform(0.2, 0.5)
    side = line(rng, (-w * rng.uniform(0.0, 1.0), 0), (-w, bar), (right, bar + rng.normal(0, 0.03)))
    if rng.random() < 0.3:
        return [side]
    at = right * rng.uniform(0.3, 0.9)
    return [side, line(rng, (at, bar - rng.uniform(0.02, 0.25)), (at + rng.normal(0, 0.03), bar + rng.uniform(0.05, 0.4)))]


def five_detached(rng: Generator) -> list[Path]:
    """The flag is far from the neck, above or to its right."""
    w, neck = rng.uniform(0.22, 0.34), rng.uniform(0.34, 0.5)
    stem = line(rng, (-w * 0.7, rng.uniform(0.05, 0.2)), (-w * 0.9, neck))
    turn = ((0, neck - 0.04), (w * 0.9, neck + 0.12), (w, 0.75), (w * 0.3, 0.98), (-w * rng.uniform(0.6, 1.2), 0.95))
    left, lift, length = rng.uniform(-0.1, 0.35), rng.uniform(-0.22, 0.08), rng.uniform(0.2, 0.55)
    flag = line(rng, (left, lift), (left + length, lift - length * rng.uniform(-0.1, 0.45)))
    return [joined(stem, curve(rng, stem[-1], *turn)), flag]


def six_knotted(rng: Generator) -> list[Path]:
    """A slanted stick with a small knot at its foot."""
    size, lean = rng.uniform(0.07, 0.15), rng.uniform(0.0, 0.65)
    knot = loop(rng, (size * 0.6, 1 - size), (size * rng.uniform(0.8, 1.6), size), 180, -rng.uniform(300, 430), drift=0.1)
    return [joined(line(rng, (lean, 0), knot[0], bow=0.05), knot)]


def seven_hooked(rng: Generator) -> list[Path]:
    """The head hooks down at its left, and the stroke through the stem lies low; seldom without that stroke."""
    w, hook = rng.uniform(0.24, 0.42), rng.uniform(0.1, 0.34)
    head = ((-w * rng.uniform(0.9, 1.25), hook), (-w * rng.uniform(0.7, 1), hook * 0.3), (-w * 0.4, 0.01), (w, 0))
    foot = rng.uniform(-0.3, 0.1)
    stem = curve(rng, (w, 0), (w * 0.6, 0.25), ((w + foot) * 0.3, 0.6), (foot, 1), jitter=0.015)
    body = joined(curve(rng, *head, jitter=0.015), stem)
    if rng.random() < 0.2:
        return [body]
    at, left, right = stem[int(len(stem) * rng.uniform(0.5, 0.85))], rng.uniform(0.1, 0.36), rng.uniform(0.1, 0.36)
    tilt = rng.normal(0.02, 0.06)
    return [body, line(rng, (at[0] - left, at[1] + tilt), (at[0] + right, at[1] - tilt), jitter=0.015)]


def nine_long_tailed(rng: Generator) -> list[Path]:
    """The stem ends in a long tail to the left, similar to the lower half of a 3."""
    w, low = rng.uniform(0.2, 0.32), rng.uniform(0.34, 0.5)
    head = ((w, 0.12), (w * 0.1, 0), (-w * 0.9, low * 0.4), (-w * 0.3, low), (w * 0.7, low * 0.7), (w, low * 0.3))
    reach = -w * rng.uniform(0.8, 2.6)
    end = (reach, rng.uniform(0.78, 1.04))
    return [curve(rng, *head, (w * rng.uniform(0.95, 1.15), 0.65), (w * 0.55, 0.92), (reach * 0.4, 1.0), end)]


def nine_slim(rng: Generator) -> list[Path]:
    """One narrow stroke with a small, sometimes open head."""
    w, low = rng.uniform(0.07, 0.16), rng.uniform(0.22, 0.42)
    start = (w * rng.uniform(0.5, 1.1), rng.uniform(0.02, 0.12))
    head = (start, (0, 0), (-w, low * 0.5), (-w * 0.2, low), (w * 0.9, low * rng.uniform(0.4, 0.8)))
    return [curve(rng, *head, (w, rng.uniform(0.1, 0.3)), (w * 0.9, 0.6), (w * rng.uniform(-1.5, 1.2), 1))]


def on_display(digit: int) -> Callable[[Generator], list[Path]]:
    """The form of a digit in straight lines, as on a display of seven bars: ``seven_on_display``."""

    def form(rng: Generator) -> list[Path]:
        forms = SHORT_DISPLAY if digit in SHORT_DISPLAY and rng.random() < 0.4 else DISPLAY
        w, middle = rng.uniform(0.2, 0.4), rng.uniform(0.42, 0.58)
        strokes = []
        for text in forms[digit]:
            corners = [((2 * int(name[0]) - 1) * w, (0.0, middle, 1.0)[int(name[1])]) for name in text.split()]
            strokes.append(line(rng, *corners, bow=0.01))
        return strokes

    form.__name__ = f"{WORDS[digit]}_on_display"
    return form

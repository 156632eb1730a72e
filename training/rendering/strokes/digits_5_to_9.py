"""The strokes of 5, 6, 7, 8 and 9: a function for each form, after the handwriting taught in many countries."""

from numpy.random import Generator

from training.rendering.strokes.curves import Path, curve, joined, line, loop


def five_single(rng: Generator) -> list[Path]:
    """One stroke: bar from the right, down, bowl."""
    w, neck = rng.uniform(0.24, 0.36), rng.uniform(0.36, 0.48)
    head = line(rng, (w * rng.uniform(0.7, 1.2), rng.normal(0, 0.03)), (-w * 0.8, 0.01), (-w * 0.9, neck))
    return [joined(head, _bowl(rng, head[-1], w, neck))]


def five_two_strokes(rng: Generator) -> list[Path]:
    """Neck and bowl first, then the bar, which starts at or near the neck, level or rising."""
    w, neck = rng.uniform(0.22, 0.36), rng.uniform(0.34, 0.48)
    stem = line(rng, (-w * 0.75, 0.02), (-w * rng.uniform(0.75, 1.05), neck))
    left, lift = -w * 0.75 + rng.normal(0.02, 0.06), rng.normal(0, 0.04)
    length = rng.uniform(0.35, 0.8)
    bar = line(rng, (left, lift), (left + length, lift - length * rng.uniform(-0.08, 0.35)))
    return [joined(stem, _bowl(rng, stem[-1], w, neck)), bar]


def five_flying(rng: Generator) -> list[Path]:
    """The bar does not touch the neck; it is above or to the right of it."""
    w, neck = rng.uniform(0.22, 0.34), rng.uniform(0.36, 0.48)
    stem = line(rng, (-w * 0.7, rng.uniform(0.02, 0.1)), (-w * 0.9, neck))
    left, lift = -w * 0.7 + rng.uniform(0.03, 0.2), rng.uniform(-0.12, 0.02)
    length = rng.uniform(0.3, 0.65)
    bar = curve(
        rng, (left, lift), (left + length / 2, lift - length * 0.1), (left + length, lift - length * rng.uniform(0, 0.4))
    )
    return [joined(stem, _bowl(rng, stem[-1], w, neck)), bar]


def five_soft(rng: Generator) -> list[Path]:
    """A quick 5, similar to an S with a straight top."""
    w = rng.uniform(0.22, 0.34)
    head = line(rng, (w * rng.uniform(0.9, 1.3), rng.normal(0, 0.03)), (-w * 0.6, rng.uniform(0, 0.05)))
    neck = ((-w * 0.8, 0.25), (-w * 0.45, 0.42), (w * 0.5, 0.47), (w, 0.68), (w * 0.5, 0.95), (-w * 0.4, 1), (-w, 0.88))
    return [joined(head, curve(rng, head[-1], *neck))]


def six_curved(rng: Generator) -> list[Path]:
    """A curve down from the upper right into a loop."""
    w, top = rng.uniform(0.24, 0.38), rng.uniform(0.42, 0.6)
    start = (w * rng.uniform(0.3, 1.0), rng.uniform(0, 0.06))
    bow = (start, (-w * 0.45, 0.2), (-w, 0.6), (-w * 0.75, 0.9), (0, 1), (w * 0.8, 0.88), (w * 0.9, 0.66), (w * 0.3, top))
    return [curve(rng, *bow, (-w * 0.4, top + 0.06), (-w * rng.uniform(0.6, 1.1), rng.uniform(0.68, 0.85)))]


def six_straight(rng: Generator) -> list[Path]:
    """A straight, upright or slanted stem with a bowl at the bottom, similar to a b."""
    w, top = rng.uniform(0.2, 0.34), rng.uniform(0.45, 0.62)
    start = (-w + rng.uniform(-0.02, 0.5), 0)
    bowl = ((-w * 0.7, 0.93), (0, 1), (w * 0.85, 0.88), (w * 0.9, 0.68), (w * 0.2, top), (-w * 0.6, top + 0.1))
    stem = curve(rng, start, ((start[0] - w) / 2 - 0.03, 0.4), (-w, 0.75), *bowl, (-w * 0.9, 0.85))
    return [stem]


def six_open(rng: Generator) -> list[Path]:
    """The loop ends before the stem, or curls into it."""
    w, top = rng.uniform(0.24, 0.38), rng.uniform(0.45, 0.6)
    bow = ((w * rng.uniform(0, 0.9), 0), (-w * 0.6, 0.28), (-w, 0.65), (-w * 0.5, 0.96), (w * 0.3, 0.98), (w, 0.76))
    return [curve(rng, *bow, (w * 0.55, top), (0, top + 0.02), (rng.uniform(-0.6, 0) * w, top + rng.uniform(0.05, 0.2)))]


def six_looped(rng: Generator) -> list[Path]:
    """A long stem and a small round loop."""
    size = rng.uniform(0.17, 0.26)
    round_part = loop(rng, (0, 1 - size), (size, size), 180 + rng.normal(0, 10), -rng.uniform(330, 420), drift=0.08)
    top = (rng.uniform(-0.1, 0.4), 0)
    stem = curve(rng, top, (top[0] * 0.2 - size * 0.6, 0.4), round_part[0], jitter=0.012)
    return [joined(stem, round_part)]


def seven_plain(rng: Generator) -> list[Path]:
    """A long level bar, a sharp corner and a slanted stem."""
    return [joined(*_seven(rng, bow=0.05))]


def seven_curved(rng: Generator) -> list[Path]:
    """The stem bends to the left and then down."""
    w = rng.uniform(0.28, 0.42)
    bar = line(rng, (-w, rng.normal(0.02, 0.03)), (w, 0))
    return [joined(bar, curve(rng, bar[-1], (w * 0.4, 0.3), (0, 0.62), (rng.uniform(-0.12, 0.08), 1)))]


def seven_round(rng: Generator) -> list[Path]:
    """Bar and stem are joined by a curve."""
    w = rng.uniform(0.28, 0.4)
    shoulder = ((-w, rng.uniform(0.0, 0.06)), (-w * 0.2, 0.0), (w * 0.75, 0.02), (w * 0.85, 0.16), (w * 0.3, 0.55))
    return [curve(rng, *shoulder, (rng.uniform(-0.2, 0.05), 1))]


def seven_barred(rng: Generator) -> list[Path]:
    """With a stroke through the stem, as in Europe."""
    bar, stem = _seven(rng, bow=0.05)
    return [joined(bar, stem), _cross(rng, stem)]


def seven_barred_curved(rng: Generator) -> list[Path]:
    """With a stroke through a bent stem that curves forward at the bottom."""
    w = rng.uniform(0.26, 0.4)
    bar = curve(rng, (-w, rng.uniform(0, 0.08)), (-w * 0.3, rng.normal(0.02, 0.03)), (w, 0), jitter=0.015)
    foot = rng.uniform(-0.25, 0.0)
    distort = ((w * 0.45, 0.28), (0.02, 0.6), (foot, 0.9), (foot + rng.uniform(-0.08, 0.22), rng.uniform(0.96, 1.03)))
    stem = curve(rng, bar[-1], *distort)
    return [joined(bar, stem), _cross(rng, stem)]


def seven_ticked(rng: Generator) -> list[Path]:
    """With a short stroke down at the left end of the bar; with or without a stroke through the stem."""
    bar, stem = _seven(rng, bow=0.05)
    tick = line(rng, (bar[0, 0] + rng.normal(0, 0.03), rng.uniform(0.12, 0.24)), bar[0], jitter=0.012)
    body = joined(tick, bar, stem)
    return [body, _cross(rng, stem)] if rng.random() < 0.55 else [body]


def seven_waved(rng: Generator) -> list[Path]:
    """The bar is a wave that begins with a hook; with or without a stroke through the stem."""
    w = rng.uniform(0.28, 0.4)
    wave = ((-w, 0.14), (-w * 0.8, 0.02), (-w * 0.35, 0.02), (w * 0.25, 0.07), (w, 0))
    bar = curve(rng, *wave, jitter=0.014)
    stem = curve(rng, bar[-1], (w * 0.45, 0.35), (0.0, 0.68), (rng.uniform(-0.2, 0.02), 1))
    return [joined(bar, stem), _cross(rng, stem)] if rng.random() < 0.6 else [joined(bar, stem)]


def eight_single(rng: Generator) -> list[Path]:
    """One stroke: an S and back, closed or not quite."""
    w, upper, waist = rng.uniform(0.26, 0.38), rng.uniform(0.2, 0.33), rng.uniform(0.4, 0.52)
    start = (rng.uniform(0, 1) * upper, rng.uniform(0.0, 0.12))
    s = (start, (-upper * 0.5, 0.02), (-upper, waist * 0.45), (0, waist), (w, waist + (1 - waist) * 0.55), (w * 0.1, 1))
    back = ((-w, waist + (1 - waist) * 0.55), (0, waist + 0.02), (upper, waist * 0.5), (upper * 0.6, 0.06))
    end = (start[0] + rng.normal(0.02, 0.05), start[1] + rng.normal(0.02, 0.05))
    return [curve(rng, *s, *back, end)]


def eight_open(rng: Generator) -> list[Path]:
    """One stroke that begins and ends at the top without meeting."""
    w, waist = rng.uniform(0.24, 0.36), rng.uniform(0.42, 0.54)
    gap = rng.uniform(0.08, 0.24)
    s = ((w * 0.5, 0), (-w * 0.4, 0.03), (-w * 0.75, 0.2), (0, waist), (w, 0.74), (0, 1), (-w * 0.95, 0.76), (0, waist + 0.03))
    return [curve(rng, *s, (w * 0.75, waist * 0.62), (w * 0.5 + gap, rng.uniform(-0.04, 0.14)))]


def eight_circles(rng: Generator) -> list[Path]:
    """Two circles, one above the other, touching, overlapping or slightly apart."""
    size = rng.uniform(0.19, 0.27)
    gap = rng.uniform(-0.06, 0.025)
    lower = (1 - 2 * size - gap) / 2
    wide = rng.uniform(0.85, 1.3)
    top = loop(rng, (rng.normal(0, 0.02), size), (size * wide, size), rng.uniform(0, 360), rng.uniform(345, 400))
    foot = loop(rng, (0, 1 - lower), (lower * wide, lower), rng.uniform(-150, -30), rng.uniform(345, 400))
    return [top, foot]


def eight_cross(rng: Generator) -> list[Path]:
    """Two straight strokes that cross, joined by round or flat ends."""
    w, flat = rng.uniform(0.22, 0.34), rng.uniform(0, 0.05)
    s = ((w, 0.14), (0.02, flat), (-w * 0.95, 0.15), (0, 0.48), (w, 0.82), (0, 1 - flat), (-w, 0.84), (0, 0.5), (w, 0.16))
    return [curve(rng, *s, (w * 0.6, 0.03))]


def nine_straight(rng: Generator) -> list[Path]:
    """A round head, then a straight stem in the same stroke or in a second one."""
    size, tall = rng.uniform(0.2, 0.33), rng.uniform(0.18, 0.3)
    head = loop(rng, (0, tall), (size, tall), rng.uniform(-50, 5), -rng.uniform(310, 375), drift=0.06)
    foot = (size + rng.uniform(-0.35, 0.05), 1)
    if rng.random() < 0.5:
        return [joined(head, line(rng, (size, rng.uniform(0.05, 0.2)), foot))]
    return [head, line(rng, (size + rng.normal(0, 0.03), rng.uniform(-0.04, 0.15)), foot)]


def nine_curved(rng: Generator) -> list[Path]:
    """A head and a stem that bends to the left at its foot."""
    w, low = rng.uniform(0.22, 0.33), rng.uniform(0.4, 0.56)
    head = ((w, 0.14), (w * 0.2, 0.0), (-w * 0.8, 0.1), (-w * 0.85, low * 0.75), (-w * 0.1, low), (w * 0.8, low * 0.65))
    reach = rng.uniform(-1.1, 0.1) * w
    return [curve(rng, *head, (w, 0.2), (w * 0.95, 0.6), (w * 0.5, 0.9), (reach, rng.uniform(0.93, 1.02)))]


def nine_hooked(rng: Generator) -> list[Path]:
    """The stem hooks up to the left at the bottom, similar to a g."""
    w, low = rng.uniform(0.22, 0.33), rng.uniform(0.38, 0.5)
    head = ((w, 0.12), (0, 0), (-w, 0.18), (-w * 0.6, low * 0.9), (w * 0.4, low * 0.9), (w, 0.16))
    return [curve(rng, *head, (w, 0.55), (w * 0.7, 0.9), (0, 1), (-w * rng.uniform(0.7, 1.1), rng.uniform(0.82, 0.93)))]


def nine_open(rng: Generator) -> list[Path]:
    """The head is not quite closed at the top of the stem."""
    w, low = rng.uniform(0.22, 0.32), rng.uniform(0.4, 0.52)
    start = (w * rng.uniform(0.55, 0.95), rng.uniform(0.02, 0.1))
    head = curve(rng, start, (0, 0), (-w, 0.2), (-w * 0.5, low), (w * 0.5, low * 0.9), (w * 0.98, low * 0.55))
    return [head, line(rng, (w, rng.uniform(0.06, 0.2)), (w * rng.uniform(0.2, 1.1), 1))]


def nine_small(rng: Generator) -> list[Path]:
    """A small round head on a long stem."""
    size = rng.uniform(0.14, 0.2)
    head = loop(rng, (0, size), (size * 1.1, size), rng.uniform(-20, 10), -rng.uniform(340, 375), drift=0.05)
    return [joined(head, line(rng, head[-1], (size + rng.uniform(-0.35, 0.02), 1), jitter=0.015))]


def _bowl(rng: Generator, start: Path, w: float, neck: float) -> Path:
    rise, low = rng.uniform(0, 0.07), 1 - neck
    turn = ((-w * 0.1, neck - rise), (w * 0.8, neck + low * 0.2), (w, neck + low * 0.55), (w * 0.4, 0.97), (-w * 0.4, 1))
    return curve(rng, start, *turn, (-w * rng.uniform(0.9, 1.25), 1 - low * rng.uniform(0.05, 0.3)))


def _seven(rng: Generator, bow: float) -> tuple[Path, Path]:
    w = rng.uniform(0.26, 0.42)
    bar = line(rng, (-w, rng.normal(0.01, 0.03)), (w, 0))
    return bar, line(rng, bar[-1], (w - rng.uniform(0.3, 0.62), 1), jitter=0.012, bow=bow)


def _cross(rng: Generator, stem: Path) -> Path:
    at = stem[int(len(stem) * rng.uniform(0.4, 0.62))]
    left, right = rng.uniform(0.12, 0.28), rng.uniform(0.12, 0.28)
    tilt = rng.normal(0.03, 0.06)
    return line(rng, (at[0] - left, at[1] + tilt), (at[0] + right, at[1] - tilt), jitter=0.015)

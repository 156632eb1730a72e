"""How people write 5, 6, 7, 8 and 9: one function for each form, drawn from school models of many countries."""

from numpy.random import Generator

from training.strokes.curves import Path, curve, joined, line, loop


def five_single(hand: Generator) -> list[Path]:
    """One stroke: bar from the right, down, bowl."""
    w, neck = hand.uniform(0.24, 0.36), hand.uniform(0.36, 0.48)
    head = line(hand, (w * hand.uniform(0.7, 1.2), hand.normal(0, 0.03)), (-w * 0.8, 0.01), (-w * 0.9, neck))
    return [joined(head, _bowl(hand, head[-1], w, neck))]


def five_two_strokes(hand: Generator) -> list[Path]:
    """Neck and bowl first, the bar afterwards: it starts at the neck or flies off, level or rising."""
    w, neck = hand.uniform(0.22, 0.36), hand.uniform(0.34, 0.48)
    stem = line(hand, (-w * 0.75, 0.02), (-w * hand.uniform(0.75, 1.05), neck))
    left, lift = -w * 0.75 + hand.normal(0.02, 0.06), hand.normal(0, 0.04)
    length = hand.uniform(0.35, 0.8)
    bar = line(hand, (left, lift), (left + length, lift - length * hand.uniform(-0.08, 0.35)))
    return [joined(stem, _bowl(hand, stem[-1], w, neck)), bar]


def five_flying(hand: Generator) -> list[Path]:
    """The bar stands clear of the neck, above or to the right of it."""
    w, neck = hand.uniform(0.22, 0.34), hand.uniform(0.36, 0.48)
    stem = line(hand, (-w * 0.7, hand.uniform(0.02, 0.1)), (-w * 0.9, neck))
    left, lift = -w * 0.7 + hand.uniform(0.03, 0.2), hand.uniform(-0.12, 0.02)
    length = hand.uniform(0.3, 0.65)
    bar = curve(
        hand, (left, lift), (left + length / 2, lift - length * 0.1), (left + length, lift - length * hand.uniform(0, 0.4))
    )
    return [joined(stem, _bowl(hand, stem[-1], w, neck)), bar]


def five_soft(hand: Generator) -> list[Path]:
    """A quick 5, near to an S with a straight head."""
    w = hand.uniform(0.22, 0.34)
    head = line(hand, (w * hand.uniform(0.9, 1.3), hand.normal(0, 0.03)), (-w * 0.6, hand.uniform(0, 0.05)))
    neck = ((-w * 0.8, 0.25), (-w * 0.45, 0.42), (w * 0.5, 0.47), (w, 0.68), (w * 0.5, 0.95), (-w * 0.4, 1), (-w, 0.88))
    return [joined(head, curve(hand, head[-1], *neck))]


def six_curved(hand: Generator) -> list[Path]:
    """A bow down from the upper right that runs into a loop."""
    w, top = hand.uniform(0.24, 0.38), hand.uniform(0.42, 0.6)
    start = (w * hand.uniform(0.3, 1.0), hand.uniform(0, 0.06))
    bow = (start, (-w * 0.45, 0.2), (-w, 0.6), (-w * 0.75, 0.9), (0, 1), (w * 0.8, 0.88), (w * 0.9, 0.66), (w * 0.3, top))
    return [curve(hand, *bow, (-w * 0.4, top + 0.06), (-w * hand.uniform(0.6, 1.1), hand.uniform(0.68, 0.85)))]


def six_straight(hand: Generator) -> list[Path]:
    """A straight stem, upright or leaning, with a bowl at its foot; near to a b whose stem leans."""
    w, top = hand.uniform(0.2, 0.34), hand.uniform(0.45, 0.62)
    start = (-w + hand.uniform(-0.02, 0.5), 0)
    bowl = ((-w * 0.7, 0.93), (0, 1), (w * 0.85, 0.88), (w * 0.9, 0.68), (w * 0.2, top), (-w * 0.6, top + 0.1))
    stem = curve(hand, start, ((start[0] - w) / 2 - 0.03, 0.4), (-w, 0.75), *bowl, (-w * 0.9, 0.85))
    return [stem]


def six_open(hand: Generator) -> list[Path]:
    """The loop stops short of the stem, or curls into it."""
    w, top = hand.uniform(0.24, 0.38), hand.uniform(0.45, 0.6)
    bow = ((w * hand.uniform(0, 0.9), 0), (-w * 0.6, 0.28), (-w, 0.65), (-w * 0.5, 0.96), (w * 0.3, 0.98), (w, 0.76))
    return [curve(hand, *bow, (w * 0.55, top), (0, top + 0.02), (hand.uniform(-0.6, 0) * w, top + hand.uniform(0.05, 0.2)))]


def six_looped(hand: Generator) -> list[Path]:
    """A long stem and a small round loop."""
    size = hand.uniform(0.17, 0.26)
    round_part = loop(hand, (0, 1 - size), (size, size), 180 + hand.normal(0, 10), -hand.uniform(330, 420), drift=0.08)
    top = (hand.uniform(-0.1, 0.4), 0)
    stem = curve(hand, top, (top[0] * 0.2 - size * 0.6, 0.4), round_part[0], jitter=0.012)
    return [joined(stem, round_part)]


def seven_plain(hand: Generator) -> list[Path]:
    """A long level bar, a sharp corner, a slanting stem, straight or bent."""
    return [joined(*_seven(hand, bow=0.05))]


def seven_curved(hand: Generator) -> list[Path]:
    """The stem bends to the left and then down."""
    w = hand.uniform(0.28, 0.42)
    bar = line(hand, (-w, hand.normal(0.02, 0.03)), (w, 0))
    return [joined(bar, curve(hand, bar[-1], (w * 0.4, 0.3), (0, 0.62), (hand.uniform(-0.12, 0.08), 1)))]


def seven_round(hand: Generator) -> list[Path]:
    """Bar and stem flow over a round shoulder."""
    w = hand.uniform(0.28, 0.4)
    shoulder = ((-w, hand.uniform(0.0, 0.06)), (-w * 0.2, 0.0), (w * 0.75, 0.02), (w * 0.85, 0.16), (w * 0.3, 0.55))
    return [curve(hand, *shoulder, (hand.uniform(-0.2, 0.05), 1))]


def seven_barred(hand: Generator) -> list[Path]:
    """The European 7 with a stroke through its stem."""
    bar, stem = _seven(hand, bow=0.05)
    return [joined(bar, stem), _cross(hand, stem)]


def seven_barred_curved(hand: Generator) -> list[Path]:
    """Barred, the stem bent, its foot swept forward or hooked."""
    w = hand.uniform(0.26, 0.4)
    bar = curve(hand, (-w, hand.uniform(0, 0.08)), (-w * 0.3, hand.normal(0.02, 0.03)), (w, 0), jitter=0.015)
    foot = hand.uniform(-0.25, 0.0)
    bend = ((w * 0.45, 0.28), (0.02, 0.6), (foot, 0.9), (foot + hand.uniform(-0.08, 0.22), hand.uniform(0.96, 1.03)))
    stem = curve(hand, bar[-1], *bend)
    return [joined(bar, stem), _cross(hand, stem)]


def seven_ticked(hand: Generator) -> list[Path]:
    """A tick down at the left end of the bar, the stem barred or not."""
    bar, stem = _seven(hand, bow=0.05)
    tick = line(hand, (bar[0, 0] + hand.normal(0, 0.03), hand.uniform(0.12, 0.24)), bar[0], jitter=0.012)
    body = joined(tick, bar, stem)
    return [body, _cross(hand, stem)] if hand.random() < 0.55 else [body]


def seven_waved(hand: Generator) -> list[Path]:
    """The bar is a wave that begins with a small hook; barred or not."""
    w = hand.uniform(0.28, 0.4)
    wave = ((-w, 0.14), (-w * 0.8, 0.02), (-w * 0.35, 0.02), (w * 0.25, 0.07), (w, 0))
    bar = curve(hand, *wave, jitter=0.014)
    stem = curve(hand, bar[-1], (w * 0.45, 0.35), (0.0, 0.68), (hand.uniform(-0.2, 0.02), 1))
    return [joined(bar, stem), _cross(hand, stem)] if hand.random() < 0.6 else [joined(bar, stem)]


def eight_single(hand: Generator) -> list[Path]:
    """One stroke: an S and back, closed or not quite."""
    w, upper, waist = hand.uniform(0.26, 0.38), hand.uniform(0.2, 0.33), hand.uniform(0.4, 0.52)
    start = (hand.uniform(0, 1) * upper, hand.uniform(0.0, 0.12))
    s = (start, (-upper * 0.5, 0.02), (-upper, waist * 0.45), (0, waist), (w, waist + (1 - waist) * 0.55), (w * 0.1, 1))
    back = ((-w, waist + (1 - waist) * 0.55), (0, waist + 0.02), (upper, waist * 0.5), (upper * 0.6, 0.06))
    end = (start[0] + hand.normal(0.02, 0.05), start[1] + hand.normal(0.02, 0.05))
    return [curve(hand, *s, *back, end)]


def eight_open(hand: Generator) -> list[Path]:
    """One stroke that begins and ends at the top without meeting."""
    w, waist = hand.uniform(0.24, 0.36), hand.uniform(0.42, 0.54)
    gap = hand.uniform(0.08, 0.24)
    s = ((w * 0.5, 0), (-w * 0.4, 0.03), (-w * 0.75, 0.2), (0, waist), (w, 0.74), (0, 1), (-w * 0.95, 0.76), (0, waist + 0.03))
    return [curve(hand, *s, (w * 0.75, waist * 0.62), (w * 0.5 + gap, hand.uniform(-0.04, 0.14)))]


def eight_circles(hand: Generator) -> list[Path]:
    """Two rounds, one on the other, touching, overlapping or a hair apart."""
    size = hand.uniform(0.19, 0.27)
    gap = hand.uniform(-0.06, 0.025)
    lower = (1 - 2 * size - gap) / 2
    wide = hand.uniform(0.85, 1.3)
    top = loop(hand, (hand.normal(0, 0.02), size), (size * wide, size), hand.uniform(0, 360), hand.uniform(345, 400))
    foot = loop(hand, (0, 1 - lower), (lower * wide, lower), hand.uniform(-150, -30), hand.uniform(345, 400))
    return [top, foot]


def eight_cross(hand: Generator) -> list[Path]:
    """An hourglass: its strokes cross straight, the ends are round or flat."""
    w, flat = hand.uniform(0.22, 0.34), hand.uniform(0, 0.05)
    s = ((w, 0.14), (0.02, flat), (-w * 0.95, 0.15), (0, 0.48), (w, 0.82), (0, 1 - flat), (-w, 0.84), (0, 0.5), (w, 0.16))
    return [curve(hand, *s, (w * 0.6, 0.03))]


def nine_straight(hand: Generator) -> list[Path]:
    """A round head, then a straight stem in the same stroke or in a second one."""
    size, tall = hand.uniform(0.2, 0.33), hand.uniform(0.18, 0.3)
    head = loop(hand, (0, tall), (size, tall), hand.uniform(-50, 5), -hand.uniform(310, 375), drift=0.06)
    foot = (size + hand.uniform(-0.35, 0.05), 1)
    if hand.random() < 0.5:
        return [joined(head, line(hand, (size, hand.uniform(0.05, 0.2)), foot))]
    return [head, line(hand, (size + hand.normal(0, 0.03), hand.uniform(-0.04, 0.15)), foot)]


def nine_curved(hand: Generator) -> list[Path]:
    """A head and a stem that bends to the left at its foot."""
    w, low = hand.uniform(0.22, 0.33), hand.uniform(0.4, 0.56)
    head = ((w, 0.14), (w * 0.2, 0.0), (-w * 0.8, 0.1), (-w * 0.85, low * 0.75), (-w * 0.1, low), (w * 0.8, low * 0.65))
    reach = hand.uniform(-1.1, 0.1) * w
    return [curve(hand, *head, (w, 0.2), (w * 0.95, 0.6), (w * 0.5, 0.9), (reach, hand.uniform(0.93, 1.02)))]


def nine_hooked(hand: Generator) -> list[Path]:
    """The foot swings back up to the left, near to a g."""
    w, low = hand.uniform(0.22, 0.33), hand.uniform(0.38, 0.5)
    head = ((w, 0.12), (0, 0), (-w, 0.18), (-w * 0.6, low * 0.9), (w * 0.4, low * 0.9), (w, 0.16))
    return [curve(hand, *head, (w, 0.55), (w * 0.7, 0.9), (0, 1), (-w * hand.uniform(0.7, 1.1), hand.uniform(0.82, 0.93)))]


def nine_open(hand: Generator) -> list[Path]:
    """The head is not quite closed: its stroke stops short below the stem's top."""
    w, low = hand.uniform(0.22, 0.32), hand.uniform(0.4, 0.52)
    start = (w * hand.uniform(0.55, 0.95), hand.uniform(0.02, 0.1))
    head = curve(hand, start, (0, 0), (-w, 0.2), (-w * 0.5, low), (w * 0.5, low * 0.9), (w * 0.98, low * 0.55))
    return [head, line(hand, (w, hand.uniform(0.06, 0.2)), (w * hand.uniform(0.2, 1.1), 1))]


def nine_small(hand: Generator) -> list[Path]:
    """A small round head on a long stem."""
    size = hand.uniform(0.14, 0.2)
    head = loop(hand, (0, size), (size * 1.1, size), hand.uniform(-20, 10), -hand.uniform(340, 375), drift=0.05)
    return [joined(head, line(hand, head[-1], (size + hand.uniform(-0.35, 0.02), 1), jitter=0.015))]


def _bowl(hand: Generator, start: Path, w: float, neck: float) -> Path:
    rise, low = hand.uniform(0, 0.07), 1 - neck
    turn = ((-w * 0.1, neck - rise), (w * 0.8, neck + low * 0.2), (w, neck + low * 0.55), (w * 0.4, 0.97), (-w * 0.4, 1))
    return curve(hand, start, *turn, (-w * hand.uniform(0.9, 1.25), 1 - low * hand.uniform(0.05, 0.3)))


def _seven(hand: Generator, bow: float) -> tuple[Path, Path]:
    w = hand.uniform(0.26, 0.42)
    bar = line(hand, (-w, hand.normal(0.01, 0.03)), (w, 0))
    return bar, line(hand, bar[-1], (w - hand.uniform(0.3, 0.62), 1), jitter=0.012, bow=bow)


def _cross(hand: Generator, stem: Path) -> Path:
    at = stem[int(len(stem) * hand.uniform(0.4, 0.62))]
    left, right = hand.uniform(0.12, 0.28), hand.uniform(0.12, 0.28)
    tilt = hand.normal(0.03, 0.06)
    return line(hand, (at[0] - left, at[1] + tilt), (at[0] + right, at[1] - tilt), jitter=0.015)

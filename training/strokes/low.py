"""How people write 0, 1, 2, 3 and 4: one function for each form, drawn from school models of many countries."""

from numpy.random import Generator

from training.strokes.curves import Path, curve, joined, line, loop, turned


def zero_round(hand: Generator) -> list[Path]:
    """One turn from near the top, either way round; it may stop short or run over."""
    width, way = hand.uniform(0.24, 0.5), hand.choice([-1, -1, -1, 1])
    return [loop(hand, (0, 0.5), (width, 0.5), hand.normal(-90, 35), way * hand.uniform(325, 410), drift=0.09)]


def zero_curled(hand: Generator) -> list[Path]:
    """The turn ends in a curl that runs into the oval, as a quick hand leaves it."""
    width = hand.uniform(0.28, 0.45)
    body = loop(hand, (0, 0.5), (width, 0.5), hand.uniform(-80, -20), -360)
    end = body[-1]
    tail = curve(hand, end, (end[0] - 0.1, end[1] - 0.06), (hand.uniform(-0.25, 0.05), hand.uniform(0.08, 0.3)))
    return [joined(body, tail)]


def zero_boxy(hand: Generator) -> list[Path]:
    """A narrow racetrack: straight sides, round ends."""
    w = hand.uniform(0.2, 0.36)
    return [curve(hand, (0, 0), (-w, 0.15), (-w, 0.5), (-w, 0.85), (0, 1), (w, 0.85), (w, 0.5), (w, 0.15), (0, 0.01))]


def zero_slashed(hand: Generator) -> list[Path]:
    """The zero of programmers: a stroke through the oval, from upper right to lower left."""
    w, reach = hand.uniform(0.3, 0.45), hand.uniform(0.55, 1.2)
    oval = loop(hand, (0, 0.5), (w, 0.5), hand.uniform(-130, -50), -365)
    return [oval, line(hand, (w * 0.8 * reach, 0.5 - 0.38 * reach), (-w * 0.8 * reach, 0.5 + 0.38 * reach))]


def zero_dotted(hand: Generator) -> list[Path]:
    """A zero with a dot in the middle."""
    oval = loop(hand, (0, 0.5), (hand.uniform(0.32, 0.46), 0.5), hand.uniform(-130, -50), -365)
    return [oval, line(hand, (0, 0.49), (0.01, 0.53), jitter=0.015)]


def one_stick(hand: Generator) -> list[Path]:
    """One stroke down, or up, straight or a little bent."""
    return [line(hand, (0, 0), (0, 1), bow=0.05)]


def one_ticked(hand: Generator) -> list[Path]:
    """A stem with a flag that is short and steep: the upstroke of a European 1."""
    return [line(hand, *_flag(hand), (0, 1))]


def one_flagged(hand: Generator) -> list[Path]:
    """A long steep upstroke before the stem, as written in Germany and France: a tent with one leg cut."""
    drop = hand.uniform(0.3, 0.62)
    return [line(hand, (-drop * hand.uniform(0.45, 0.9), drop), (0, 0), (hand.normal(0, 0.03), 1))]


def one_hooked(hand: Generator) -> list[Path]:
    """The flag flows into the stem over a round shoulder."""
    drop = hand.uniform(0.18, 0.32)
    return [curve(hand, (-hand.uniform(0.1, 0.2), drop), (-0.07, 0.55 * drop), (0.0, 0.03), (0.02, 0.4), (0, 1))]


def one_printed(hand: Generator) -> list[Path]:
    """Flag, stem and foot: the 1 of typewriters and forms."""
    stem = line(hand, *_flag(hand), (0, 1), bow=0.02)
    return [stem, _foot(hand)]


def one_long_printed(hand: Generator) -> list[Path]:
    """A long flag and a foot besides: easily taken for a 2 by whoever has never seen it."""
    drop = hand.uniform(0.25, 0.5)
    stem = line(hand, (-drop * hand.uniform(0.55, 0.95), drop), (0, 0), (hand.normal(0, 0.03), 1), bow=0.03)
    return [stem, _foot(hand)]


def one_footed(hand: Generator) -> list[Path]:
    """A stem on a foot without a flag."""
    return [line(hand, (0, 0), (0, 1), bow=0.02), _foot(hand)]


def one_serifed(hand: Generator) -> list[Path]:
    """Flag, stem and foot without lifting the pen: the foot is run back and forth, or begins at the left."""
    w = hand.uniform(0.2, 0.4)
    return [line(hand, *_flag(hand), (0, 1), (-w, 1), (w, 1), bow=0.02)]


def two_plain(hand: Generator) -> list[Path]:
    """A hook, a slanting neck, a sharp corner and a straight base."""
    w, turn = hand.uniform(0.28, 0.4), hand.uniform(0.2, 0.3)
    neck = curve(hand, (-w, turn), (-w * 0.6, 0.06), (0.05, 0), (w, turn), (w * 0.55, 0.55), (-w * 0.2, 0.82), (-w, 1))
    return [joined(neck, line(hand, neck[-1], (w * hand.uniform(0.8, 1.4), 1 + hand.normal(0, 0.03)), jitter=0.01))]


def two_angular(hand: Generator) -> list[Path]:
    """A small hook and a straight neck, near to a Z with a round shoulder."""
    w = hand.uniform(0.25, 0.4)
    neck = curve(hand, (-w, hand.uniform(0.1, 0.28)), (-w * 0.2, 0), (w * 0.9, 0.12), (w * 0.7, 0.38), (0, 0.72), (-w, 1))
    return [joined(neck, line(hand, neck[-1], (w * hand.uniform(0.8, 1.3), 1), jitter=0.015))]


def two_looped(hand: Generator) -> list[Path]:
    """The neck turns through a loop at the lower left into a waved base."""
    w, size = hand.uniform(0.26, 0.38), hand.uniform(0.06, 0.16)
    top = ((-w, 0.22), (-w * 0.4, 0.02), (w * 0.6, 0.06), (w * 0.8, 0.3), (w * 0.2, 0.65))
    low = ((-w * 0.7, 1 - size * 0.4), (-w - 0.08, 1 - size), (-w * 0.7, 1 - 2 * size), (0, 0.95 - size * 0.3))
    return [curve(hand, *top, *low, (w * 0.7, 1.0), (w * 1.35, 0.93))]


def two_swan(hand: Generator) -> list[Path]:
    """The base is a wave without a corner."""
    w = hand.uniform(0.26, 0.38)
    top = ((-w, 0.2), (-w * 0.5, 0.02), (w * 0.5, 0.03), (w * 0.85, 0.27), (w * 0.3, 0.6))
    return [curve(hand, *top, (-w * 0.95, 0.97), (-w * 0.4, 0.9), (w * 0.4, 1.0), (w * 1.25, 0.9))]


def two_curled(hand: Generator) -> list[Path]:
    """The stroke begins inside the top with a curl."""
    w = hand.uniform(0.26, 0.38)
    curl = ((-w * 0.35, 0.3), (-w * 0.9, 0.32), (-w * 0.9, 0.1), (0, 0), (w * 0.85, 0.15), (w * 0.7, 0.45), (0, 0.75))
    neck = curve(hand, *curl, (-w, 1))
    return [joined(neck, line(hand, neck[-1], (w * 1.2, 1), jitter=0.015))]


def two_zigzag(hand: Generator) -> list[Path]:
    """Straight strokes and sharp corners, as a Z."""
    w = hand.uniform(0.26, 0.4)
    return [line(hand, (-w, hand.uniform(0, 0.1)), (w, hand.normal(0.02, 0.03)), (-w, 1), (w * hand.uniform(0.9, 1.3), 1))]


def three_round(hand: Generator) -> list[Path]:
    """Two bowls with a cusp between them, the lower the larger or not."""
    w, waist = hand.uniform(0.26, 0.4), hand.uniform(0.4, 0.52)
    cusp = (hand.uniform(-0.16, 0.08), waist)
    upper = curve(hand, (-w, waist * 0.36), (-w * 0.3, 0), (w * 0.7, waist * 0.3), (w * 0.6, waist * 0.75), cusp)
    low = 1 - waist
    turn = ((w * 0.75, waist + low * 0.18), (w, waist + low * 0.55), (w * 0.3, 0.99), (-w * 0.5, 0.97))
    return [joined(upper, curve(hand, upper[-1], *turn, (-w * hand.uniform(0.9, 1.2), 1 - low * hand.uniform(0.1, 0.4))))]


def three_flat(hand: Generator) -> list[Path]:
    """A straight top and a slanting stroke before the lower bowl."""
    w, waist = hand.uniform(0.26, 0.38), hand.uniform(0.36, 0.48)
    top = line(hand, (-w, hand.uniform(-0.01, 0.04)), (w * 0.9, 0), (hand.uniform(-0.16, 0.05), waist))
    turn = ((w * 0.7, waist + 0.08), (w, 0.72), (w * 0.3, 0.98), (-w * 0.5, 0.97))
    return [joined(top, curve(hand, top[-1], *turn, (-w, hand.uniform(0.82, 0.93))))]


def three_looped(hand: Generator) -> list[Path]:
    """A small loop instead of the cusp."""
    w, size = hand.uniform(0.26, 0.38), hand.uniform(0.05, 0.12)
    top = ((-w, 0.18), (-w * 0.2, 0), (w * 0.8, 0.15), (w * 0.3, 0.42), (-size, 0.5), (-2 * size, 0.46), (-size, 0.42))
    return [curve(hand, *top, (w * 0.6, 0.5), (w, 0.72), (w * 0.3, 0.98), (-w * 0.6, 0.97), (-w * 1.1, 0.85))]


def three_soft(hand: Generator) -> list[Path]:
    """A quick 3 whose waist is hardly a cusp at all."""
    w = hand.uniform(0.2, 0.34)
    top = ((-w, 0.14), (-w * 0.2, 0), (w * 0.7, 0.16), (w * 0.4, 0.38), (hand.uniform(-0.05, 0.08), 0.47))
    return [curve(hand, *top, (w * 0.6, 0.56), (w, 0.74), (w * 0.4, 0.96), (-w * 0.5, 1), (-w * 1.1, 0.88))]


def four_open(hand: Generator) -> list[Path]:
    """Down and across, then a stem: open at the top, the stem straight or slanted."""
    w, bar = hand.uniform(0.22, 0.38), hand.uniform(0.48, 0.72)
    at = hand.uniform(0.1, 0.3)
    side = line(hand, (-w * hand.uniform(0.5, 1.0), 0), (-w, bar), (at + hand.uniform(0.05, 0.3), bar + hand.normal(0, 0.03)))
    return [side, line(hand, (at + hand.normal(0.02, 0.05), hand.uniform(-0.08, 0.4)), (at, 1))]


def four_closed(hand: Generator) -> list[Path]:
    """From the apex down to the left and across, then the stem from the apex: a triangle on a stem."""
    w, bar = hand.uniform(0.4, 0.62), hand.uniform(0.55, 0.78)
    at = hand.uniform(0.05, 0.2)
    side = line(hand, (at, 0), (at - w, bar), (at + hand.uniform(0.06, 0.3), bar))
    return [side, line(hand, (at + hand.normal(0, 0.02), hand.uniform(-0.03, 0.12)), (at, 1))]


def four_single(hand: Generator) -> list[Path]:
    """One stroke: up from the bar's left, down the stem, or across first and round the apex."""
    w, bar = hand.uniform(0.35, 0.55), hand.uniform(0.5, 0.72)
    return [line(hand, (0.12 + hand.uniform(0.05, 0.25), bar), (0.12 - w, bar), (0.12, 0), (0.12, 1))]


def four_cupped(hand: Generator) -> list[Path]:
    """A cup and a stem, the bar bent instead of straight; wide open at the top."""
    w, bar = hand.uniform(0.22, 0.34), hand.uniform(0.42, 0.6)
    cup = curve(hand, (-w, 0), (-w * 1.02, bar * 0.6), (-w * 0.6, bar), (w * 0.5, bar * 0.97), (w, bar * 0.9))
    return [cup, line(hand, (w, hand.uniform(-0.08, 0.12)), (w * hand.uniform(0.6, 1.1), 1))]


def four_lightning(hand: Generator) -> list[Path]:
    """A long slanting side, a bar that reaches far beyond a short stem set across it."""
    bar, at = hand.uniform(0.58, 0.74), hand.uniform(0.05, 0.22)
    side = line(hand, (hand.uniform(-0.05, 0.12), 0), (-0.35, bar), (at + hand.uniform(0.18, 0.34), bar))
    return [side, line(hand, (at + 0.02, bar - hand.uniform(0.12, 0.34)), (at, 1))]


def _flag(hand: Generator) -> tuple[tuple[float, float], tuple[float, float]]:
    drop = hand.uniform(0.12, 0.32)
    return (-drop * hand.uniform(0.5, 1.0), drop), (0.0, 0.0)


def _foot(hand: Generator) -> Path:
    w, tilt = hand.uniform(0.14, 0.42), hand.normal(0, 3)
    return turned(line(hand, (-w * hand.uniform(0.8, 1.2), 1), (w, 1), bow=0.02), tilt, (0, 1))

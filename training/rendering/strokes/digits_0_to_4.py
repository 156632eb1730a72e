"""The strokes of 0, 1, 2, 3 and 4: a function for each form, after the handwriting taught in many countries."""

from numpy.random import Generator

from training.rendering.strokes.curves import Path, curve, joined, line, loop, rotated


def zero_round(rng: Generator) -> list[Path]:
    """One turn from near the top, clockwise or not; it may end before or after its start."""
    width, way = rng.uniform(0.24, 0.5), rng.choice([-1, -1, -1, 1])
    return [loop(rng, (0, 0.5), (width, 0.5), rng.normal(-90, 35), way * rng.uniform(325, 410), drift=0.09)]


def zero_curled(rng: Generator) -> list[Path]:
    """The turn ends in a curl inside the oval, as in quick writing."""
    width = rng.uniform(0.28, 0.45)
    body = loop(rng, (0, 0.5), (width, 0.5), rng.uniform(-80, -20), -360)
    end = body[-1]
    tail = curve(rng, end, (end[0] - 0.1, end[1] - 0.06), (rng.uniform(-0.25, 0.05), rng.uniform(0.08, 0.3)))
    return [joined(body, tail)]


def zero_boxy(rng: Generator) -> list[Path]:
    """A narrow oval with straight sides and round ends."""
    w = rng.uniform(0.2, 0.36)
    return [curve(rng, (0, 0), (-w, 0.15), (-w, 0.5), (-w, 0.85), (0, 1), (w, 0.85), (w, 0.5), (w, 0.15), (0, 0.01))]


def zero_slashed(rng: Generator) -> list[Path]:
    """A stroke through the oval, from upper right to lower left."""
    w, reach = rng.uniform(0.3, 0.45), rng.uniform(0.55, 1.2)
    oval = loop(rng, (0, 0.5), (w, 0.5), rng.uniform(-130, -50), -365)
    return [oval, line(rng, (w * 0.8 * reach, 0.5 - 0.38 * reach), (-w * 0.8 * reach, 0.5 + 0.38 * reach))]


def zero_dotted(rng: Generator) -> list[Path]:
    """A zero with a dot in the middle."""
    oval = loop(rng, (0, 0.5), (rng.uniform(0.32, 0.46), 0.5), rng.uniform(-130, -50), -365)
    return [oval, line(rng, (0, 0.49), (0.01, 0.53), jitter=0.015)]


def one_stick(rng: Generator) -> list[Path]:
    """One stroke down, or up, straight or a little bent."""
    return [line(rng, (0, 0), (0, 1), bow=0.05)]


def one_ticked(rng: Generator) -> list[Path]:
    """A stem with a short, steep upstroke, as in Europe."""
    return [line(rng, *_upstroke(rng), (0, 1))]


def one_flagged(rng: Generator) -> list[Path]:
    """A stem with a long, steep upstroke, as in Germany and France."""
    drop = rng.uniform(0.3, 0.62)
    return [line(rng, (-drop * rng.uniform(0.45, 0.9), drop), (0, 0), (rng.normal(0, 0.03), 1))]


def one_hooked(rng: Generator) -> list[Path]:
    """The upstroke runs into the stem in a curve."""
    drop = rng.uniform(0.18, 0.32)
    return [curve(rng, (-rng.uniform(0.1, 0.2), drop), (-0.07, 0.55 * drop), (0.0, 0.03), (0.02, 0.4), (0, 1))]


def one_printed(rng: Generator) -> list[Path]:
    """Upstroke, stem and foot, as printed on forms."""
    stem = line(rng, *_upstroke(rng), (0, 1), bow=0.02)
    return [stem, _foot(rng)]


def one_long_printed(rng: Generator) -> list[Path]:
    """A long upstroke and a foot; easily read as a 2."""
    drop = rng.uniform(0.25, 0.5)
    stem = line(rng, (-drop * rng.uniform(0.55, 0.95), drop), (0, 0), (rng.normal(0, 0.03), 1), bow=0.03)
    return [stem, _foot(rng)]


def one_footed(rng: Generator) -> list[Path]:
    """A stem and a foot without an upstroke."""
    return [line(rng, (0, 0), (0, 1), bow=0.02), _foot(rng)]


def one_serifed(rng: Generator) -> list[Path]:
    """Upstroke, stem and foot in one stroke; the foot is drawn to the left and back to the right."""
    w = rng.uniform(0.2, 0.4)
    return [line(rng, *_upstroke(rng), (0, 1), (-w, 1), (w, 1), bow=0.02)]


def two_plain(rng: Generator) -> list[Path]:
    """A hook, a slanting neck, a sharp corner and a straight base."""
    w, turn = rng.uniform(0.28, 0.4), rng.uniform(0.2, 0.3)
    neck = curve(rng, (-w, turn), (-w * 0.6, 0.06), (0.05, 0), (w, turn), (w * 0.55, 0.55), (-w * 0.2, 0.82), (-w, 1))
    return [joined(neck, line(rng, neck[-1], (w * rng.uniform(0.8, 1.4), 1 + rng.normal(0, 0.03)), jitter=0.01))]


def two_angular(rng: Generator) -> list[Path]:
    """A small hook and a straight neck, similar to a Z with a round corner."""
    w = rng.uniform(0.25, 0.4)
    neck = curve(rng, (-w, rng.uniform(0.1, 0.28)), (-w * 0.2, 0), (w * 0.9, 0.12), (w * 0.7, 0.38), (0, 0.72), (-w, 1))
    return [joined(neck, line(rng, neck[-1], (w * rng.uniform(0.8, 1.3), 1), jitter=0.015))]


def two_looped(rng: Generator) -> list[Path]:
    """The neck runs through a loop at the lower left into a wavy base."""
    w, size = rng.uniform(0.26, 0.38), rng.uniform(0.06, 0.16)
    top = ((-w, 0.22), (-w * 0.4, 0.02), (w * 0.6, 0.06), (w * 0.8, 0.3), (w * 0.2, 0.65))
    low = ((-w * 0.7, 1 - size * 0.4), (-w - 0.08, 1 - size), (-w * 0.7, 1 - 2 * size), (0, 0.95 - size * 0.3))
    return [curve(rng, *top, *low, (w * 0.7, 1.0), (w * 1.35, 0.93))]


def two_swan(rng: Generator) -> list[Path]:
    """The base is a wave without a corner."""
    w = rng.uniform(0.26, 0.38)
    top = ((-w, 0.2), (-w * 0.5, 0.02), (w * 0.5, 0.03), (w * 0.85, 0.27), (w * 0.3, 0.6))
    return [curve(rng, *top, (-w * 0.95, 0.97), (-w * 0.4, 0.9), (w * 0.4, 1.0), (w * 1.25, 0.9))]


def two_curled(rng: Generator) -> list[Path]:
    """The stroke begins inside the top with a curl."""
    w = rng.uniform(0.26, 0.38)
    curl = ((-w * 0.35, 0.3), (-w * 0.9, 0.32), (-w * 0.9, 0.1), (0, 0), (w * 0.85, 0.15), (w * 0.7, 0.45), (0, 0.75))
    neck = curve(rng, *curl, (-w, 1))
    return [joined(neck, line(rng, neck[-1], (w * 1.2, 1), jitter=0.015))]


def two_zigzag(rng: Generator) -> list[Path]:
    """Straight strokes and sharp corners, like a Z."""
    w = rng.uniform(0.26, 0.4)
    return [line(rng, (-w, rng.uniform(0, 0.1)), (w, rng.normal(0.02, 0.03)), (-w, 1), (w * rng.uniform(0.9, 1.3), 1))]


def three_round(rng: Generator) -> list[Path]:
    """Two bowls with a cusp between them."""
    w, waist = rng.uniform(0.26, 0.4), rng.uniform(0.4, 0.52)
    cusp = (rng.uniform(-0.16, 0.08), waist)
    upper = curve(rng, (-w, waist * 0.36), (-w * 0.3, 0), (w * 0.7, waist * 0.3), (w * 0.6, waist * 0.75), cusp)
    low = 1 - waist
    turn = ((w * 0.75, waist + low * 0.18), (w, waist + low * 0.55), (w * 0.3, 0.99), (-w * 0.5, 0.97))
    return [joined(upper, curve(rng, upper[-1], *turn, (-w * rng.uniform(0.9, 1.2), 1 - low * rng.uniform(0.1, 0.4))))]


def three_flat(rng: Generator) -> list[Path]:
    """A straight top and a slanting stroke before the lower bowl."""
    w, waist = rng.uniform(0.26, 0.38), rng.uniform(0.36, 0.48)
    top = line(rng, (-w, rng.uniform(-0.01, 0.04)), (w * 0.9, 0), (rng.uniform(-0.16, 0.05), waist))
    turn = ((w * 0.7, waist + 0.08), (w, 0.72), (w * 0.3, 0.98), (-w * 0.5, 0.97))
    return [joined(top, curve(rng, top[-1], *turn, (-w, rng.uniform(0.82, 0.93))))]


def three_looped(rng: Generator) -> list[Path]:
    """A small loop instead of the cusp."""
    w, size = rng.uniform(0.26, 0.38), rng.uniform(0.05, 0.12)
    top = ((-w, 0.18), (-w * 0.2, 0), (w * 0.8, 0.15), (w * 0.3, 0.42), (-size, 0.5), (-2 * size, 0.46), (-size, 0.42))
    return [curve(rng, *top, (w * 0.6, 0.5), (w, 0.72), (w * 0.3, 0.98), (-w * 0.6, 0.97), (-w * 1.1, 0.85))]


def three_soft(rng: Generator) -> list[Path]:
    """A quick 3 with a shallow cusp."""
    w = rng.uniform(0.2, 0.34)
    top = ((-w, 0.14), (-w * 0.2, 0), (w * 0.7, 0.16), (w * 0.4, 0.38), (rng.uniform(-0.05, 0.08), 0.47))
    return [curve(rng, *top, (w * 0.6, 0.56), (w, 0.74), (w * 0.4, 0.96), (-w * 0.5, 1), (-w * 1.1, 0.88))]


def four_open(rng: Generator) -> list[Path]:
    """Down and across, then a straight or slanted stem; open at the top."""
    w, bar = rng.uniform(0.22, 0.38), rng.uniform(0.48, 0.72)
    at = rng.uniform(0.1, 0.3)
    side = line(rng, (-w * rng.uniform(0.5, 1.0), 0), (-w, bar), (at + rng.uniform(0.05, 0.3), bar + rng.normal(0, 0.03)))
    return [side, line(rng, (at + rng.normal(0.02, 0.05), rng.uniform(-0.08, 0.4)), (at, 1))]


def four_closed(rng: Generator) -> list[Path]:
    """From the top down to the left and across, then the stem from the top: closed."""
    w, bar = rng.uniform(0.4, 0.62), rng.uniform(0.55, 0.78)
    at = rng.uniform(0.05, 0.2)
    side = line(rng, (at, 0), (at - w, bar), (at + rng.uniform(0.06, 0.3), bar))
    return [side, line(rng, (at + rng.normal(0, 0.02), rng.uniform(-0.03, 0.12)), (at, 1))]


def four_single(rng: Generator) -> list[Path]:
    """One stroke: the bar from right to left, up to the top, down the stem."""
    w, bar = rng.uniform(0.35, 0.55), rng.uniform(0.5, 0.72)
    return [line(rng, (0.12 + rng.uniform(0.05, 0.25), bar), (0.12 - w, bar), (0.12, 0), (0.12, 1))]


def four_cupped(rng: Generator) -> list[Path]:
    """A curved bar and a stem; wide open at the top."""
    w, bar = rng.uniform(0.22, 0.34), rng.uniform(0.42, 0.6)
    cup = curve(rng, (-w, 0), (-w * 1.02, bar * 0.6), (-w * 0.6, bar), (w * 0.5, bar * 0.97), (w, bar * 0.9))
    return [cup, line(rng, (w, rng.uniform(-0.08, 0.12)), (w * rng.uniform(0.6, 1.1), 1))]


def four_lightning(rng: Generator) -> list[Path]:
    """A long slanted side, and a bar that extends far beyond a short stem across it."""
    bar, at = rng.uniform(0.58, 0.74), rng.uniform(0.05, 0.22)
    side = line(rng, (rng.uniform(-0.05, 0.12), 0), (-0.35, bar), (at + rng.uniform(0.18, 0.34), bar))
    return [side, line(rng, (at + 0.02, bar - rng.uniform(0.12, 0.34)), (at, 1))]


def _upstroke(rng: Generator) -> tuple[tuple[float, float], tuple[float, float]]:
    drop = rng.uniform(0.12, 0.32)
    return (-drop * rng.uniform(0.5, 1.0), drop), (0.0, 0.0)


def _foot(rng: Generator) -> Path:
    w, tilt = rng.uniform(0.14, 0.42), rng.normal(0, 3)
    return rotated(line(rng, (-w * rng.uniform(0.8, 1.2), 1), (w, 1), bow=0.02), tilt, (0, 1))

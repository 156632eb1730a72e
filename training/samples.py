"""Draw the sample digits that load tests post: ``python -m training.samples --out loadtests/samples``."""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from training.strokes import draw

SIDE: Final = 280
PER_DIGIT: Final = 5


def sample(digit: int, hand: np.random.Generator) -> Image.Image:
    """A digit as a canvas gives it: black ink on a transparent 280x280 RGBA picture."""
    alpha = draw(digit, hand).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    picture = Image.new("RGBA", alpha.size)
    picture.putalpha(alpha)
    return picture


def main() -> None:
    """Write ``LABEL-NUMBER.png``, the same ones every time."""
    parser = argparse.ArgumentParser(prog="python -m training.samples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    hand = np.random.default_rng(7)
    for digit in range(10):
        for number in range(PER_DIGIT):
            sample(digit, hand).save(out / f"{digit}-{number:02}.png", optimize=True)


if __name__ == "__main__":
    main()

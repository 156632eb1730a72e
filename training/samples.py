"""``python -m training.samples --out loadtests/samples``: draw the sample digits that load tests send."""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from training.rendering.strokes import draw

SIDE: Final = 280
PER_DIGIT: Final = 5


def sample(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a digit as a canvas exports it: black ink on a transparent 280x280 RGBA image."""
    alpha = draw(digit, rng).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    image = Image.new("RGBA", alpha.size)
    image.putalpha(alpha)
    return image


def main() -> None:
    """Write ``LABEL-NUMBER.png`` files, the same ones every time."""
    parser = argparse.ArgumentParser(prog="python -m training.samples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for digit in range(10):
        for number in range(PER_DIGIT):
            sample(digit, rng).save(out / f"{digit}-{number:02}.png", optimize=True)


if __name__ == "__main__":
    main()

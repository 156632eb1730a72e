"""The recipe of ``digits``: scans, and strokes in forms that MNIST hardly holds."""

from functools import cached_property
from typing import Final

import numpy as np
from torch import nn

from training import strangers
from training.augment import vary
from training.datasets import Labelled, emnist, mnist
from training.frames import INK, Pictures, scanned
from training.network import convolutions
from training.probe import probe
from training.recipe import Recipe
from training.splits import Part, apart, held_out
from training.strokes import draw
from training.train import Settings

HELD_OUT: Final = 500
STROKES: Final = 10_000


class Digits(Recipe):
    """0 to 9, scanned or drawn."""

    name = "digits"
    title = "Handwritten digits, scanned or drawn"
    spec = INK
    sources = (
        "MNIST train (LeCun, Cortes, Burges), less 5,000 for validation",
        "EMNIST digits and some letters (NIST, public domain): official test splits used as training material",
        "stroke digits drawn by training.strokes",
        "Quick, Draw! drawings (Google, CC BY 4.0) and scribbles, as examples of what is no digit",
    )
    settings = Settings()

    @property
    def labels(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def network(self) -> nn.Sequential:
        return convolutions((16, 32, 48, 64, 80, 96), 10)

    def training(self, number: int) -> dict[str, Pictures]:
        seeds = self.seeds(number)
        scans, more = self._mnist[0], self._emnist[0]
        digits = np.tile(np.arange(10, dtype=np.int64), STROKES)
        shown = {
            "mnist": scanned(scans),
            "mnist, varied": Pictures(vary, scans.images, scans.labels, next(seeds)),
            "mnist, varied again": Pictures(vary, scans.images, scans.labels, next(seeds)),
            "emnist, varied": Pictures(vary, more.images, more.labels, next(seeds)),
            "strokes": Pictures(draw, digits, digits, next(seeds)),
        }
        letters = strangers.unlike(emnist(self.data), strangers.UNLIKE_DIGITS)
        return shown | strangers.shown(self.data, letters, next(seeds))

    def validation(self) -> dict[str, Pictures]:
        probed = np.tile(np.arange(10, dtype=np.int64), 300)
        return {
            "MNIST, validation (5,000 of train, held out)": scanned(self._mnist[1]),
            "EMNIST digits, validation (5,000 held out)": scanned(self._emnist[1]),
            "stroke digits of another hand, validation (training.probe)": Pictures(probe, probed, probed, 7),
        }

    def test(self) -> dict[str, Pictures]:
        return {"MNIST, test (t10k)": scanned(mnist(self.data, "test"))}

    def strangers(self, part: Part) -> dict[str, Pictures]:
        return strangers.never_shown(self.data, part)

    @cached_property
    def _mnist(self) -> list[Labelled]:
        return apart([*held_out(mnist(self.data, "train"), (HELD_OUT,), self.settings.seed), mnist(self.data, "test")])

    @cached_property
    def _emnist(self) -> list[Labelled]:
        characters = emnist(self.data)
        return held_out(characters.take(characters.labels < 10), (HELD_OUT,), self.settings.seed)

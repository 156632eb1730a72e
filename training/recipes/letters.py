"""The recipe of ``letters``: A to Z, case merged."""

from functools import cached_property
from typing import Final

from torch import nn

from training import pens, strangers
from training.augment import vary
from training.datasets import Labelled, emnist
from training.frames import INK, Pictures, scanned
from training.network import convolutions
from training.recipe import Recipe
from training.splits import Part, held_out, of_each_class
from training.train import Settings

OTHERS: Final = 6000
ALPHABET: Final = [chr(ord("A") + place) for place in range(26)]
VALIDATION: Final = 200
TEST: Final = 400
# Pictures of each letter in one bank: as they are, varied, with other pens, and with those bent.
EACH: Final = (3000, 1500, 1500, 1500)


def split(pictures: Labelled, seed: int) -> list[Labelled]:
    """The letters of EMNIST, A to Z as 0 to 25: to train on, 200 of each to validate, 400 of each to test."""
    letters = pictures.take(pictures.labels >= 10)
    return held_out(Labelled(letters.images, letters.labels - 10), (VALIDATION, TEST), seed)


class Letters(Recipe):
    """Letters of either case, scanned or drawn; both cases have the label of the capital."""

    name = "letters"
    title = "Handwritten letters, capital or small"
    version = "1.1.0"
    spec = INK
    sources = (
        "EMNIST letters (NIST, public domain): official test splits used as training material, less 200 of each letter for "
        "validation and 400 for the test",
        "Quick, Draw! drawings (Google, CC BY 4.0), scribbles and EMNIST's 3s, 4s and 7s, as examples of what is no letter",
    )
    settings = Settings(epochs=10, weight_decay=0.05, smoothing=0.05)
    calibrated_on = 2

    @property
    def labels(self) -> list[str]:
        return ALPHABET

    def network(self) -> nn.Sequential:
        return convolutions((32, 64, 96, 128, 160, 192), 26, dropout=0.35)

    def training(self, number: int) -> dict[str, Pictures]:
        seeds = self.seeds(number)
        whole = self._parts[0]
        as_scanned, varied, penned, bent = (whole.take(of_each_class(whole.labels, each, next(seeds))) for each in EACH)
        shown = {
            "emnist": scanned(as_scanned),
            "emnist, varied": Pictures(vary, varied.images, varied.labels, next(seeds)),
            "emnist, with other pens": Pictures(pens.scan, penned.images, penned.labels, next(seeds)),
            "emnist, with other pens and bent": Pictures(pens.bent_scan, bent.images, bent.labels, next(seeds)),
        }
        digits = strangers.unlike(emnist(self.data), strangers.UNLIKE_LETTERS)
        return shown | strangers.shown(self.data, digits[:OTHERS], next(seeds))

    def validation(self) -> dict[str, Pictures]:
        _, validation, _ = self._parts
        return {
            "EMNIST letters, validation (200 of each, held out)": scanned(validation),
            "EMNIST letters with other pens, validation": Pictures(pens.scan, validation.images, validation.labels, 7),
        }

    def test(self) -> dict[str, Pictures]:
        test = self._parts[2]
        return {
            "EMNIST letters, test (400 of each, held out)": scanned(test),
            "EMNIST letters with other pens, test": Pictures(pens.scan, test.images, test.labels, 8),
        }

    def strangers(self, part: Part) -> dict[str, Pictures]:
        others = strangers.never_shown(self.data, part)
        signs = strangers.signs_unlike_ours(self.data, part)
        return {name: pictures for name, pictures in others.items() if "Omniglot" not in name} | signs

    @cached_property
    def _parts(self) -> list[Labelled]:
        return split(emnist(self.data), self.settings.seed)

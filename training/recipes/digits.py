"""The recipe of ``digits``: scans, and generated digits in forms that MNIST has few of."""

from functools import cached_property
from typing import Final

import numpy as np
from torch import nn

from training.data import outliers
from training.data.datasets import LabelledImages, emnist, mnist
from training.data.image_sets import INK, ImageSet, concatenate
from training.data.splits import Split, random_split, sample_per_class, without_duplicates
from training.fitting.loop import Settings
from training.fitting.network import plain_cnn
from training.recipe import Recipe
from training.rendering import touching
from training.rendering.augmentation import augment_scan
from training.rendering.redrawing import redraw_scan
from training.rendering.strokes import draw, draw_rare
from training.rendering.validation_digits import RARE_FORMS, draw_rare_validation_digit, draw_validation_digit

HELD_OUT: Final = 500
STROKES: Final = 8_000
RARE_STROKES: Final = 3_000
# EMNIST's training digits that are varied, and redrawn, of each class.
OF_EMNIST: Final = 7_000
# Digits that are cut out of a line, and pairs that touch.
CUT: Final = 50_000
PAIRS: Final = 24_000
UNSEEN_GENERATOR: Final = "stroke digits of another generator, validation (training.rendering.validation_digits)"


class Digits(Recipe):
    """Classifies the digits 0 to 9, scanned or drawn."""

    name = "digits"
    title = "Handwritten digits, scanned or drawn"
    spec = INK
    sources = (
        "MNIST train (LeCun, Cortes, Burges), less 5,000 for validation",
        "EMNIST digits and some letters (NIST, public domain): official test splits used as training material",
        "stroke digits drawn by training.rendering.strokes",
        "scans of both thinned and redrawn with other pens (training.rendering.redrawing), and cut out of lines in which they "
        "touch (training.rendering.touching)",
        "Quick, Draw! drawings (Google, CC BY 4.0), scribbles and pairs of these digits that touch, as examples of what is no "
        "digit",
    )
    settings = Settings(epochs=10, training_sets=3)
    version = "1.3.0"
    rejection_sets = (UNSEEN_GENERATOR,)

    @property
    def labels(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def network(self) -> nn.Sequential:
        return plain_cnn((16, 32, 48, 64, 80, 96), 10)

    def training(self, number: int) -> dict[str, ImageSet]:
        seeds = self.seeds(number)
        scans, more = self._mnist[0], self._emnist[0]
        varied, redrawn = (more.take(sample_per_class(more.labels, OF_EMNIST, next(seeds))) for _ in range(2))
        neighbours = concatenate([scans, more])
        digits, rare = (np.tile(np.arange(10, dtype=np.int64), count) for count in (STROKES, RARE_STROKES))
        images = {
            "mnist": ImageSet.of(scans),
            "mnist, varied": ImageSet.of(scans, augment_scan, next(seeds)),
            "mnist, with other pens": ImageSet.of(scans, redraw_scan, next(seeds)),
            "emnist, varied": ImageSet.of(varied, augment_scan, next(seeds)),
            "emnist, with other pens": ImageSet.of(redrawn, redraw_scan, next(seeds)),
            "strokes": ImageSet(draw, digits, digits, next(seeds)),
            "rare strokes": ImageSet(draw_rare, rare, rare, next(seeds)),
            "cut out of a line": touching.cut_out(neighbours, CUT, next(seeds)),
        }
        letters = outliers.every_second_of(emnist(self.data), outliers.LETTERS_UNLIKE_DIGITS)
        images |= outliers.training_outliers(self.data, letters, next(seeds))
        return images | {"touching pairs": touching.pairs(neighbours.images, PAIRS, next(seeds))}

    def validation(self) -> dict[str, ImageSet]:
        digits = np.tile(np.arange(10, dtype=np.int64), 300)
        rare = [name for name in RARE_FORMS for _ in range(100)]
        rare_digits = np.array([RARE_FORMS[name][0] for name in rare], dtype=np.int64)
        return {
            "MNIST, validation (5,000 of train, held out)": ImageSet.of(self._mnist[1]),
            "EMNIST digits, validation (5,000 held out)": ImageSet.of(self._emnist[1]),
            UNSEEN_GENERATOR: ImageSet(draw_validation_digit, digits, digits, 7),
            "rare forms of that generator, validation": ImageSet(draw_rare_validation_digit, rare, rare_digits, 8),
            "MNIST with other pens, validation": ImageSet.of(self._mnist[1], redraw_scan, 9),
        }

    def test(self) -> dict[str, ImageSet]:
        test = mnist(self.data, "test")
        return {
            "MNIST, test (t10k)": ImageSet.of(test),
            "MNIST with other pens, test (t10k)": ImageSet.of(test, redraw_scan, 10),
        }

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        return outliers.unseen_outliers(self.data, split)

    @cached_property
    def _mnist(self) -> list[LabelledImages]:
        training, validation = random_split(mnist(self.data, "train"), (HELD_OUT,), self.settings.seed)
        return without_duplicates([training, validation, mnist(self.data, "test")])

    @cached_property
    def _emnist(self) -> list[LabelledImages]:
        characters = emnist(self.data)
        return random_split(characters.take(characters.labels < 10), (HELD_OUT,), self.settings.seed)

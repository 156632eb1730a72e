"""The recipe of ``letters``: A to Z, with capital and small letters in one class."""

from functools import cached_property
from typing import Final

from torch import nn

from training.data import outliers
from training.data.datasets import LabelledImages, emnist
from training.data.image_sets import INK, ImageSet
from training.data.splits import Split, random_split, sample_per_class
from training.fitting.loop import Settings
from training.fitting.network import plain_cnn
from training.recipe import Recipe
from training.rendering import redrawing
from training.rendering.augmentation import augment_scan

DIGIT_OUTLIERS: Final = 6000
ALPHABET: Final = [chr(ord("A") + place) for place in range(26)]
VALIDATION: Final = 200
TEST: Final = 400
# Images of each letter in a training set: unchanged, augmented, redrawn, and redrawn and distorted.
EACH: Final = (3000, 1500, 1500, 1500)


def split_letters(characters: LabelledImages, seed: int) -> list[LabelledImages]:
    """Split the letters of EMNIST, A to Z as 0 to 25: training, 200 of each for validation, 400 of each for the test."""
    letters = characters.take(characters.labels >= 10)
    return random_split(LabelledImages(letters.images, letters.labels - 10), (VALIDATION, TEST), seed)


class Letters(Recipe):
    """Classifies letters of either case, scanned or drawn; both cases have the label of the capital."""

    name = "letters"
    title = "Handwritten letters, capital or small"
    version = "1.1.0"
    spec = INK
    sources = (
        "EMNIST letters (NIST, public domain): official test splits used as training material, less 200 of each letter for "
        "validation and 400 for the test",
        "Quick, Draw! drawings (Google, CC BY 4.0), scribbles and EMNIST's 3s, 4s and 7s, as examples of what is no letter",
    )
    settings = Settings(epochs=10, weight_decay=0.05, label_smoothing=0.05)
    calibration_sets = 2

    @property
    def labels(self) -> list[str]:
        return ALPHABET

    def network(self) -> nn.Sequential:
        return plain_cnn((32, 64, 96, 128, 160, 192), 26, dropout=0.35)

    def training(self, number: int) -> dict[str, ImageSet]:
        seeds = self.seeds(number)
        whole = self._splits[0]
        scans, varied, redrawn, bent = (whole.take(sample_per_class(whole.labels, each, next(seeds))) for each in EACH)
        distorted = redrawing.redraw_distorted_scan
        images = {
            "emnist": ImageSet.of(scans),
            "emnist, varied": ImageSet.of(varied, augment_scan, next(seeds)),
            "emnist, with other pens": ImageSet.of(redrawn, redrawing.redraw_scan, next(seeds)),
            "emnist, with other pens and bent": ImageSet.of(bent, distorted, next(seeds)),
        }
        digits = outliers.every_second_of(emnist(self.data), outliers.DIGITS_UNLIKE_LETTERS)
        return images | outliers.training_outliers(self.data, digits[:DIGIT_OUTLIERS], next(seeds))

    def validation(self) -> dict[str, ImageSet]:
        validation = self._splits[1]
        redrawn = ImageSet.of(validation, redrawing.redraw_scan, 7)
        return {
            "EMNIST letters, validation (200 of each, held out)": ImageSet.of(validation),
            "EMNIST letters with other pens, validation": redrawn,
        }

    def test(self) -> dict[str, ImageSet]:
        test = self._splits[2]
        return {
            "EMNIST letters, test (400 of each, held out)": ImageSet.of(test),
            "EMNIST letters with other pens, test": ImageSet.of(test, redrawing.redraw_scan, 8),
        }

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        unseen = outliers.unseen_outliers(self.data, split)
        symbols = outliers.unfamiliar_symbols(self.data, split)
        return {name: images for name, images in unseen.items() if "Omniglot" not in name} | symbols

    @cached_property
    def _splits(self) -> list[LabelledImages]:
        return split_letters(emnist(self.data), self.settings.seed)

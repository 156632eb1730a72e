"""The recipe of ``fashion``: ten classes of clothing, as catalogue images and as photos on a light or dark background."""

from functools import cached_property
from typing import Final

import numpy as np
from PIL import Image
from torch import nn

from training.data import datasets, drawings, outliers
from training.data.datasets import LabelledImages, emnist, mnist
from training.data.image_sets import OBJECT, ImageSet, unchanged
from training.data.outliers import outlier_set
from training.data.splits import Split, random_split, without_duplicates
from training.fitting.batches import BatchAugmentation
from training.fitting.loop import Settings
from training.fitting.network import residual_cnn
from training.recipe import Recipe
from training.rendering import redrawing
from training.rendering.photos import render_photo

LABELS: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
HELD_OUT: Final = 500
OUTLIERS: Final = 3000


class Fashion(Recipe):
    """Classifies clothing, shoes and bags."""

    name = "fashion"
    title = "Clothing, shoes and bags"
    spec = OBJECT
    sources = (
        "Fashion-MNIST train (Zalando, MIT), less 5,000 for validation",
        "the same as photos on light and dark backgrounds, rendered by training.rendering.photos",
        "EMNIST letters (NIST, public domain) and Quick, Draw! drawings (Google, CC BY 4.0), as examples of what is none",
    )
    settings = Settings(
        epochs=18,
        batch_size=128,
        weight_decay=0.05,
        label_smoothing=0.05,
        patience=8,
        augmentation=BatchAugmentation(
            shift=0.045,
            rotation=0.04,
            scale=0.04,
            shear=0.03,
            gamma=0.1,
            unchanged=0.35,
            flipped=True,
            erased=0.5,
            erased_side=14,
            erased_to_grey=True,
        ),
    )

    @property
    def labels(self) -> list[str]:
        return list(LABELS)

    def network(self) -> nn.Sequential:
        return residual_cnn((32, 80, 160), (1, 2, 1), 10)

    def training(self, number: int) -> dict[str, ImageSet]:
        seeds = self.seeds(number)
        whole = self._splits[0]
        some = whole.take(np.random.default_rng(next(seeds)).permutation(len(whole))[: len(whole) // 3])
        characters = emnist(self.data)
        letters = characters.images[characters.labels >= 10][::40]
        doodles = outliers.doodles(self.data, "train")
        redraw = redrawing.redraw_distorted_doodle
        return {
            "fashion": ImageSet.of(whole),
            "fashion, photographed": ImageSet.of(some, render_photo, next(seeds)),
            "letters": outlier_set(invert_some, letters, next(seeds)),
            "doodles": outlier_set(redraw, doodles, next(seeds)),
        }

    def validation(self) -> dict[str, ImageSet]:
        validation = self._splits[1]
        return {
            "Fashion-MNIST, validation (5,000 of train, held out)": ImageSet.of(validation),
            "Fashion-MNIST photographed, validation": ImageSet.of(validation, render_photo, 7),
        }

    def test(self) -> dict[str, ImageSet]:
        test = self._splits[2]
        return {
            "Fashion-MNIST, test (t10k)": ImageSet.of(test),
            "Fashion-MNIST photographed, test": ImageSet.of(test, render_photo, 8),
        }

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        digits = mnist(self.data, "test" if split == "test" else "train").images[:OUTLIERS]
        shapes = drawings.shapes(self.data).in_split(split).images[:OUTLIERS]
        doodles = outliers.doodles(self.data, split)
        return {
            "MNIST": outlier_set(invert_some, digits, 11),
            "Quick, Draw! (other words)": outlier_set(redrawing.redraw_doodle, doodles, 12),
            "hand-drawn shapes": outlier_set(unchanged, shapes),
        }

    @cached_property
    def _splits(self) -> list[LabelledImages]:
        training, validation = random_split(datasets.fashion(self.data, "train"), (HELD_OUT,), self.settings.seed)
        return without_duplicates([training, validation, datasets.fashion(self.data, "test")])


def invert_some(scan: datasets.Images, rng: np.random.Generator) -> Image.Image:
    """Render a scan ``uint8[28, 28]``, white on black, half of the time dark on light."""
    return Image.fromarray(scan if rng.random() < 0.5 else 255 - scan)

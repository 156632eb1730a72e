"""The recipe of ``fashion``: ten kinds of clothing, as catalogue pictures and as photos on light or dark ground."""

from functools import cached_property
from typing import Final

import numpy as np
from PIL import Image
from torch import nn

from training import datasets, drawings, pens, strangers
from training.batches import Wobble
from training.datasets import Labelled, emnist, mnist
from training.frames import OBJECT, Pictures, as_it_is, scanned
from training.network import residual
from training.photos import photographed
from training.recipe import Recipe
from training.splits import Part, apart, held_out
from training.strangers import unknown
from training.train import Settings

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
STRANGERS: Final = 3000


class Fashion(Recipe):
    """Clothing, shoes and bags."""

    name = "fashion"
    title = "Clothing, shoes and bags"
    spec = OBJECT
    sources = (
        "Fashion-MNIST train (Zalando, MIT), less 5,000 for validation",
        "the same as photos on light and dark ground made by training.photos",
        "EMNIST letters (NIST, public domain) and Quick, Draw! drawings (Google, CC BY 4.0), as examples of what is none",
    )
    settings = Settings(
        epochs=18,
        batch=128,
        weight_decay=0.05,
        smoothing=0.05,
        patience=8,
        wobble=Wobble(
            shift=0.045,
            turn=0.04,
            stretch=0.04,
            slant=0.03,
            gamma=0.1,
            still=0.35,
            mirrored=True,
            torn=0.5,
            hole=14,
            patched=True,
        ),
    )

    @property
    def labels(self) -> list[str]:
        return list(LABELS)

    def network(self) -> nn.Sequential:
        return residual((32, 80, 160), (1, 2, 1), 10)

    def training(self, number: int) -> dict[str, Pictures]:
        seeds = self.seeds(number)
        whole = self._parts[0]
        some = whole.take(np.random.default_rng(next(seeds)).permutation(len(whole))[: len(whole) // 3])
        letters, doodles = self._others("train")
        return {
            "fashion": scanned(whole),
            "fashion, photographed": Pictures(photographed, some.images, some.labels, next(seeds)),
            "letters": Pictures(on_a_sheet, letters, unknown(len(letters)), next(seeds)),
            "doodles": Pictures(pens.bent_doodle, doodles, unknown(len(doodles)), next(seeds)),
        }

    def validation(self) -> dict[str, Pictures]:
        validation = self._parts[1]
        return {
            "Fashion-MNIST, validation (5,000 of train, held out)": scanned(validation),
            "Fashion-MNIST photographed, validation": Pictures(photographed, validation.images, validation.labels, 7),
        }

    def test(self) -> dict[str, Pictures]:
        test = self._parts[2]
        return {
            "Fashion-MNIST, test (t10k)": scanned(test),
            "Fashion-MNIST photographed, test": Pictures(photographed, test.images, test.labels, 8),
        }

    def strangers(self, part: Part) -> dict[str, Pictures]:
        digits = mnist(self.data, "test" if part == "test" else "train").images[:STRANGERS]
        drawn = drawings.shapes(self.data).by(part)
        doodles = strangers.doodles(self.data, part)
        return {
            "MNIST": Pictures(on_a_sheet, digits, unknown(len(digits)), 11),
            "Quick, Draw! (other words)": Pictures(pens.doodle, doodles, unknown(len(doodles)), 12),
            "hand-drawn shapes": Pictures(as_it_is, drawn.images[:STRANGERS], unknown(len(drawn.images[:STRANGERS]))),
        }

    def _others(self, part: Part) -> tuple[datasets.Images, list[drawings.Doodle]]:
        characters = emnist(self.data)
        return characters.images[characters.labels >= 10][::40], strangers.doodles(self.data, part)

    @cached_property
    def _parts(self) -> list[Labelled]:
        training, validation = held_out(datasets.fashion(self.data, "train"), (HELD_OUT,), self.settings.seed)
        return apart([training, validation, datasets.fashion(self.data, "test")])


def on_a_sheet(character: datasets.Images, hand: np.random.Generator) -> Image.Image:
    """A scan ``uint8[28, 28]``, white on black, as it is or dark on light."""
    return Image.fromarray(character if hand.random() < 0.5 else 255 - character)

"""The evaluation data of ``characters``, the cascade of category, digits and letters; there is nothing to train."""

from functools import cached_property
from pathlib import Path

import numpy as np

from training.data.image_sets import ImageSet
from training.recipes.category import ALL_IMAGES, WITHOUT_LOOKALIKES, Category
from training.recipes.letters import ALPHABET


class Characters:
    """The labels and the test sets of the cascade: those of ``category``, with digits and letters as classes of their own."""

    name = "characters"

    def __init__(self, data: Path) -> None:
        self._category = Category(data)

    @property
    def labels(self) -> list[str]:
        """The digits, the letters, and ``drawing`` for everything else."""
        return [*(str(digit) for digit in range(10)), *ALPHABET, "drawing"]

    def test(self) -> dict[str, ImageSet]:
        """The test sets of ``category`` with the classes of the cascade."""
        images = self._images
        return {ALL_IMAGES: images, WITHOUT_LOOKALIKES: images.take(self._category.without_lookalikes("test"))}

    @cached_property
    def _images(self) -> ImageSet:
        images = self._category.held_out("test")
        digits, letters = self._category.held_out_scans("test")
        drawings = len(images) - len(digits) - len(letters)
        labels = np.concatenate([digits.labels, letters.labels + 10, np.full(drawings, len(self.labels) - 1)])
        return ImageSet(images.render, images.sources, labels.astype(np.int64), images.seed)

"""What judges ``characters``, the cascade of category, digits and letters: the test pictures of category, read to the end."""

from functools import cached_property
from pathlib import Path

import numpy as np

from training.frames import Pictures
from training.recipes.category import WHOLE, WITHOUT_ALIKE, Category
from training.recipes.letters import ALPHABET


class Characters:
    """Digits, letters and other drawings, each drawn with the same pens; nothing is trained."""

    name = "characters"

    def __init__(self, data: Path) -> None:
        self._category = Category(data)

    @property
    def labels(self) -> list[str]:
        """The digits, the letters, and ``drawing`` for all else."""
        return [*(str(digit) for digit in range(10)), *ALPHABET, "drawing"]

    def test(self) -> dict[str, Pictures]:
        """The test pictures of ``category``, with what they are."""
        pictures = self._read_to_the_end
        return {WHOLE: pictures, WITHOUT_ALIKE: pictures.take(self._category.unlike("test"))}

    @cached_property
    def _read_to_the_end(self) -> Pictures:
        pictures = self._category.held_out("test")
        digits, letters = self._category.written("test")
        drawings = len(pictures) - len(digits) - len(letters)
        labels = np.concatenate([digits.labels, letters.labels + 10, np.full(drawings, len(self.labels) - 1)])
        return Pictures(pictures.make, pictures.sources, labels.astype(np.int64), pictures.seed)

"""The interface of a recipe: a model's data, splits, network and settings. ``training.trainer`` trains it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from preprocessing import InputSpec
from training.data.image_sets import ImageSet
from training.data.splits import Split
from training.fitting.loop import Settings


class Recipe(ABC):
    """A model that can be trained from ``data``, a folder with the data sets that training/README.md lists.

    Images are as clients would send them; they are preprocessed afterwards. Class numbers are indices into ``labels``, those
    of ``training`` into ``fine_classes``; numbers below 0 mark outliers. No image of ``validation``, ``test`` or
    ``out_of_distribution`` may be in ``training``.
    """

    name: str
    title: str
    version: str = "1.0.0"
    licence: str = "Apache-2.0"
    spec: InputSpec
    sources: Sequence[str]
    settings: Settings
    # How many of the validation sets, from the first on, the temperature and the rejection score are chosen on.
    calibration_sets: int = 1
    # The rejection threshold accepts ``acceptance_rate`` of the sets for calibration, and of each of these validation sets,
    # whose sources are not trained on: a model is surer of the handwriting of people it was trained on.
    rejection_sets: Sequence[str] = ()
    acceptance_rate: float = 0.985

    def __init__(self, data: Path) -> None:
        self.data = data

    @property
    def remarks(self) -> Sequence[str]:
        """What is to be said about the data before the training."""
        return ()

    def seeds(self, number: int) -> Iterator[int]:
        """Seeds for the images of ``training(number)``."""
        return iter(np.random.SeedSequence(self.settings.seed * 1000 + number).generate_state(100).tolist())

    @property
    @abstractmethod
    def labels(self) -> list[str]:
        """The classes, in the order of the logits."""

    @property
    def fine_classes(self) -> Sequence[int]:
        """The classes that the network learns, as the label index of each.

        They are the labels unless finer classes are known, which help the network to separate the labels.
        """
        return range(len(self.labels))

    @abstractmethod
    def network(self) -> nn.Sequential:
        """Create the network with random weights; its outputs are ``labels``, in training mode ``fine_classes``."""

    @abstractmethod
    def training(self, number: int) -> dict[str, ImageSet]:
        """The images of an epoch by source; each ``number`` renders others."""

    @abstractmethod
    def validation(self) -> dict[str, ImageSet]:
        """The validation sets; the first ``calibration_sets`` calibrate the model."""

    @abstractmethod
    def test(self) -> dict[str, ImageSet]:
        """The test sets, measured once at the end, by ``DATA SET, SPLIT``; the first is the card's main figure."""

    @abstractmethod
    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        """Images the model is not made for, to choose (``validation``) and to measure (``test``) the rejection rule."""

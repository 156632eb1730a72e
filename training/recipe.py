"""What a recipe says: the data, their split, the network, and how it is trained. ``training.making`` follows it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from preprocessing import InputSpec
from training.frames import Pictures
from training.splits import Part
from training.train import Settings


class Recipe(ABC):
    """A model that can be made from ``data``, a folder with the sources that training/README.md lists.

    Pictures come as they would be posted to the service; preprocessing is done to them afterwards. Labels are places in
    ``labels``, of what trains in ``kinds``; below 0 they mark what the model was not made for. Nothing that ``validation``,
    ``test`` and ``strangers`` give may be in ``training``.
    """

    name: str
    title: str
    version: str = "1.0.0"
    licence: str = "Apache-2.0"
    spec: InputSpec
    sources: Sequence[str]
    settings: Settings
    # How many of the validation sets, from the first on, tell the temperature and the rejection threshold.
    calibrated_on: int = 1
    # The share of these pictures that the threshold accepts.
    accepted: float = 0.985

    def __init__(self, data: Path) -> None:
        self.data = data

    def seeds(self, number: int) -> Iterator[int]:
        """Seeds for the pictures of ``training(number)``."""
        return iter(np.random.SeedSequence(self.settings.seed * 1000 + number).generate_state(100).tolist())

    @property
    @abstractmethod
    def labels(self) -> list[str]:
        """The classes, in the order of the logits."""

    @property
    def kinds(self) -> Sequence[int]:
        """The classes that training pictures are told apart by, each with the place of the label it belongs to.

        The labels themselves, unless finer classes are known: what they teach helps to tell the labels apart.
        """
        return range(len(self.labels))

    @abstractmethod
    def network(self) -> nn.Sequential:
        """The network with fresh weights; it answers for ``labels``, and for ``kinds`` while it trains."""

    @abstractmethod
    def training(self, number: int) -> dict[str, Pictures]:
        """By source, all that an epoch sees once; every ``number`` gives others."""

    @abstractmethod
    def validation(self) -> dict[str, Pictures]:
        """What choices are made on; the model is calibrated on the first, see ``calibrated_on``."""

    @abstractmethod
    def test(self) -> dict[str, Pictures]:
        """What is measured once, at the end; the first is what the card is judged by. Keys are ``DATA SET, SPLIT``."""

    @abstractmethod
    def strangers(self, part: Part) -> dict[str, Pictures]:
        """What the model was not made for, to choose the rejection (``validation``) and to measure it (``test``)."""

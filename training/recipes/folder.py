"""The recipe for pictures of one's own: a folder for each label, ``LABEL/NAME.png`` (or .jpg, .jpeg, .webp).

What no file system takes in a name may be percent-encoded, as the gallery's export does.
"""

from functools import cached_property
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote

import numpy as np
from PIL import Image
from torch import nn

from models.evaluation import SUFFIXES
from preprocessing import ImageError, ImageLimits, decode
from training.augment import vary
from training.batches import Wobble
from training.datasets import DataError, Labelled, Labels
from training.frames import INK, OBJECT, Pictures, frame
from training.network import convolutions, residual
from training.recipe import Recipe
from training.splits import Part, chosen_places
from training.strangers import scribbled, unknown
from training.train import Settings

FEWEST: Final = 20
SHARE: Final = 0.1
LIMITS: Final = ImageLimits(pixels=50_000_000, photo_pixels=50_000_000, side=30_000)
SCRIBBLES: Final = 500


class Folder(Recipe):
    """A classifier of the pictures in a folder; one in ten of each label validates, one in ten tests."""

    sources = ("pictures of one's own",)
    licence = "not told"

    def __init__(self, data: Path, name: str, subject: Literal["ink", "object"] = "ink", title: str = "") -> None:
        super().__init__(data)
        self.name = name
        self.title = title or name
        self.spec = INK if subject == "ink" else OBJECT
        mirrored = subject == "object"
        self.settings = Settings(epochs=30, renewed=3, batch=64, patience=10, wobble=Wobble(mirrored=mirrored, gamma=0.2))

    @cached_property
    def labels(self) -> list[str]:
        if len(self._folders) < 2:
            raise DataError(
                f"{self.data} holds {len(self._folders)} folders. Make one for each label, with its pictures inside."
            )
        return sorted(self._folders)

    def network(self) -> nn.Sequential:
        if self.spec == INK:
            return convolutions((16, 32, 48, 64, 80, 96), len(self.labels))
        return residual((24, 48, 96), (1, 1, 1), len(self.labels))

    def training(self, number: int) -> dict[str, Pictures]:
        seeds = self.seeds(number)
        shown = {"own": self._own(0)}
        if self.spec == INK:
            framed = self._whole.take(self._places[0])
            shown["own, varied"] = Pictures(vary, framed.images, framed.labels, next(seeds))
        return shown

    def validation(self) -> dict[str, Pictures]:
        return {"own pictures, validation (one in ten)": self._own(1)}

    def test(self) -> dict[str, Pictures]:
        return {"own pictures, test (one in ten)": self._own(2)}

    def strangers(self, part: Part) -> dict[str, Pictures]:
        strokes = [1, 2, 3] * (SCRIBBLES // 3)
        return {"scribbles": Pictures(scribbled, strokes, unknown(len(strokes)), 11 if part == "test" else 12)}

    def _own(self, part: int) -> Pictures:
        places = self._places[part]
        return Pictures(opened, [self._files[place] for place in places], self._whole.labels[places])

    @cached_property
    def _folders(self) -> dict[str, Path]:
        """The folder of each label."""
        found: dict[str, Path] = {}
        for folder in sorted(self.data.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                if twin := found.get(unquote(folder.name)):
                    raise DataError(f"{twin} and {folder} are the same label. Put their pictures into one folder.")
                found[unquote(folder.name)] = folder
        return found

    @cached_property
    def _files(self) -> list[Path]:
        found: list[Path] = []
        for label in self.labels:
            folder = self._folders[label]
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
            if len(files) < FEWEST:
                raise DataError(f"{folder} holds {len(files)} pictures; {FEWEST} of each label are needed at least.")
            found += files
        return found

    @cached_property
    def _whole(self) -> Labelled:
        """What the model would see of each file: the split is made on it, so that a picture saved twice is noticed."""
        labels = [self.labels.index(unquote(path.parent.name)) for path in self._files]
        return Labelled(np.stack([frame(read(path), self.spec) for path in self._files]), np.array(labels, dtype=np.int64))

    @cached_property
    def _places(self) -> list[Labels]:
        count = max(1, int(SHARE * np.bincount(self._whole.labels).min()))
        return chosen_places(self._whole, (count, count), self.settings.seed)


def read(path: Path) -> Image.Image:
    """The picture in a file, or a ``DataError`` that names it."""
    try:
        return decode(path.read_bytes(), LIMITS)
    except (OSError, ImageError) as error:
        raise DataError(f"{path}: {error}") from error


def opened(path: Path, hand: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """The picture in a file unchanged."""
    return read(path)

"""The recipe for a folder of your own images: a folder for each label, ``LABEL/NAME.png`` (or .jpg, .jpeg, .webp).

Characters that are not allowed in file names may be percent-encoded, as the gallery's export does.
"""

from functools import cached_property
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote

import numpy as np
from PIL import Image
from torch import nn

from models.pictures import SUFFIXES
from preprocessing import ImageError, ImageLimits, decode
from training.data.datasets import DataError, LabelledImages, Labels
from training.data.image_sets import INK, OBJECT, ImageSet, to_model_input
from training.data.outliers import outlier_set, render_scribble
from training.data.splits import Split, split_indices
from training.fitting.batches import BatchAugmentation
from training.fitting.loop import Settings
from training.fitting.network import plain_cnn, residual_cnn
from training.recipe import Recipe
from training.rendering.augmentation import augment_scan

MIN_IMAGES: Final = 20
HELD_OUT: Final = 0.1
LIMITS: Final = ImageLimits(pixels=50_000_000, photo_pixels=50_000_000, side=30_000)
SCRIBBLES: Final = 500


class Folder(Recipe):
    """Classifies the images in a folder; a tenth of each label is for validation, a tenth for the test."""

    sources = ("own pictures",)
    licence = "not told"

    def __init__(self, data: Path, name: str, subject: Literal["ink", "object"] = "ink", title: str = "") -> None:
        super().__init__(data)
        self.name = name
        self.title = title or name
        self.spec = INK if subject == "ink" else OBJECT
        augmentation = BatchAugmentation(flipped=subject == "object", gamma=0.2)
        self.settings = Settings(epochs=30, training_sets=3, batch_size=64, patience=10, augmentation=augmentation)

    @cached_property
    def labels(self) -> list[str]:
        if len(self._folders) < 2:
            raise DataError(
                f"{self.data} contains {len(self._folders)} folders. Make a folder for each label, with its images inside."
            )
        return sorted(self._folders)

    def network(self) -> nn.Sequential:
        if self.spec == INK:
            return plain_cnn((16, 32, 48, 64, 80, 96), len(self.labels))
        return residual_cnn((24, 48, 96), (1, 1, 1), len(self.labels))

    def training(self, number: int) -> dict[str, ImageSet]:
        seeds = self.seeds(number)
        images = {"own": self._own(0)}
        if self.spec == INK:
            inputs = self.inputs.take(self._indices[0])
            images["own, varied"] = ImageSet.of(inputs, augment_scan, next(seeds))
        return images

    def validation(self) -> dict[str, ImageSet]:
        return {"own pictures, validation (one in ten)": self._own(1)}

    def test(self) -> dict[str, ImageSet]:
        return {"own pictures, test (one in ten)": self._own(2)}

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        strokes = [1, 2, 3] * (SCRIBBLES // 3)
        return {"scribbles": outlier_set(render_scribble, strokes, 11 if split == "test" else 12)}

    @cached_property
    def files(self) -> list[Path]:
        """The image files, by label and name."""
        found: list[Path] = []
        for label in self.labels:
            folder = self._folders[label]
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
            if len(files) < MIN_IMAGES:
                raise DataError(f"{folder} contains {len(files)} images. Add more: each label needs at least {MIN_IMAGES}.")
            found += files
        return found

    @cached_property
    def inputs(self) -> LabelledImages:
        """The model input of each file; they are split, so that duplicates in different formats are found."""
        labels = [self.labels.index(unquote(path.parent.name)) for path in self.files]
        inputs = np.stack([to_model_input(read_image(path), self.spec) for path in self.files])
        return LabelledImages(inputs, np.array(labels, dtype=np.int64))

    def _own(self, part: int) -> ImageSet:
        indices = self._indices[part]
        return ImageSet(open_image, [self.files[index] for index in indices], self.inputs.labels[indices])

    @cached_property
    def _folders(self) -> dict[str, Path]:
        """The folder of each label."""
        found: dict[str, Path] = {}
        for folder in sorted(self.data.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                if other := found.get(unquote(folder.name)):
                    raise DataError(f"{other} and {folder} are the same label. Move their images into one folder.")
                found[unquote(folder.name)] = folder
        return found

    @cached_property
    def _indices(self) -> list[Labels]:
        count = max(1, int(HELD_OUT * np.bincount(self.inputs.labels).min()))
        return split_indices(self.inputs, (count, count), self.settings.seed)


def read_image(path: Path) -> Image.Image:
    """Read an image file.

    Raises:
        DataError: it cannot be read or decoded; the message names it.
    """
    try:
        return decode(path.read_bytes(), LIMITS)
    except (OSError, ImageError) as error:
        raise DataError(f"{path}: {error}") from error


def open_image(path: Path, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """Render an image file as it is."""
    return read_image(path)

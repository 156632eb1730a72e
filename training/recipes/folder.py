"""The recipe for a folder of your own images: a folder for each label, ``LABEL/NAME.png``, as ``models.pictures`` reads it."""

from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image
from torch import nn

from models.card import CardError
from models.pictures import IMAGE_LIMITS, MIN_IMAGES, LabelledFolder, read_folder
from preprocessing import ImageError, decode
from training.data.datasets import DataError, LabelledImages, Labels
from training.data.image_sets import INK, OBJECT, ImageSet, to_model_input
from training.data.outliers import outlier_set, render_scribble
from training.data.splits import Split, split_indices, unique_indices
from training.fitting.batches import BatchAugmentation
from training.fitting.loop import Settings
from training.fitting.network import plain_cnn, residual_cnn
from training.recipe import Recipe
from training.rendering.augmentation import augment_scan

HELD_OUT: Final = 0.1
SCRIBBLES: Final = 500


class Folder(Recipe):
    """Classifies the images in a folder.

    Images of val/ are for validation and those of test/ for the test, where there are such folders; otherwise a tenth of the
    other images of each label.
    """

    sources = ("own pictures",)
    licence = "not told"

    def __init__(self, data: Path, name: str, subject: Literal["ink", "object"] = "ink", title: str = "") -> None:
        super().__init__(data)
        self.name = name
        self.title = title or name
        self.spec = INK if subject == "ink" else OBJECT
        augmentation = BatchAugmentation(flipped=subject == "object", gamma=0.2)
        self.settings = Settings(epochs=30, training_sets=3, batch_size=64, patience=10, augmentation=augmentation)

    @property
    def labels(self) -> list[str]:
        return self._found.labels

    @property
    def remarks(self) -> list[str]:
        return self._found.remarks

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
        return {f"own pictures, validation ({self._source('val')})": self._own(1)}

    def test(self) -> dict[str, ImageSet]:
        return {f"own pictures, test ({self._source('test')})": self._own(2)}

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        strokes = [1, 2, 3] * (SCRIBBLES // 3)
        return {"scribbles": outlier_set(render_scribble, strokes, 11 if split == "test" else 12)}

    @property
    def files(self) -> list[Path]:
        """The image files, by label."""
        return [picture.path for picture in self._found.pictures]

    @cached_property
    def inputs(self) -> LabelledImages:
        """The model input of each file; they are split, so that images that preprocessing makes equal are found."""
        labels = [picture.label for picture in self._found.pictures]
        inputs = np.stack([to_model_input(read_image(path), self.spec) for path in self.files])
        return LabelledImages(inputs, np.array(labels, dtype=np.int64))

    def _own(self, part: int) -> ImageSet:
        indices = self._indices[part]
        return ImageSet(open_image, [self.files[index] for index in indices], self.inputs.labels[indices])

    def _source(self, split: str) -> str:
        return f"{split}/" if split in self._splits else "one in ten"

    @cached_property
    def _found(self) -> LabelledFolder:
        """The images of the folder; one that is in several splits counts as one of test/."""
        try:
            found = read_folder(self.data, preferred=("test", "val", "train", None))
        except (CardError, OSError) as error:
            raise DataError(str(error)) from error
        if len(found.labels) < 2:
            raise DataError(f"{self.data} contains {len(found.labels)} folders. Make a folder for each label, with its images.")
        for number, label in enumerate(found.labels):
            count = sum(picture.label == number and picture.split in ("train", None) for picture in found.pictures)
            if count < MIN_IMAGES:
                raise DataError(
                    f"{self.data} contains {count} images of {label} to train on. "
                    f"Add more: each label needs at least {MIN_IMAGES}."
                )
        return found

    @cached_property
    def _splits(self) -> list[str]:
        """The split of each image by its folder: train, val or test."""
        return [picture.split or "train" for picture in self._found.pictures]

    @cached_property
    def _indices(self) -> list[Labels]:
        splits = np.array(self._splits)
        of_folders = {split: np.flatnonzero(splits == split) for split in ("train", "val", "test")}
        training = of_folders["train"]
        left_open = [split for split in ("val", "test") if not len(of_folders[split])]
        whole = self.inputs.take(training)
        count = max(1, int(HELD_OUT * np.bincount(whole.labels).min()))
        parts = split_indices(whole, (count,) * len(left_open), self.settings.seed)
        found = of_folders | {split: training[part] for split, part in zip(["train", *left_open], parts, strict=True)}
        return unique_indices(self.inputs, [found["train"], found["val"], found["test"]])


def read_image(path: Path) -> Image.Image:
    """Read an image file.

    Raises:
        DataError: it cannot be read or decoded; the message names it.
    """
    try:
        return decode(path.read_bytes(), IMAGE_LIMITS)
    except (OSError, ImageError) as error:
        raise DataError(f"{path}: {error}") from error


def open_image(path: Path, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """Render an image file as it is."""
    return read_image(path)

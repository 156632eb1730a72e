"""Random, augmented batches of a training set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from training.data.datasets import LabelledImages


@dataclass(frozen=True, slots=True)
class BatchAugmentation:
    """How strongly model inputs are augmented: the standard deviations of random changes, and their probabilities.

    ``shift`` is a share of half the image, ``rotation`` in radians, ``scale``, ``shear`` and ``gamma`` are ratios. A share
    ``unchanged`` of the images is not changed geometrically. A share ``erased`` loses a rectangle of up to ``erased_side``
    pixels a side (random erasing: Zhong et al., AAAI 2020), which becomes black, with ``erased_to_grey`` any grey level.
    """

    shift: float = 0.045
    rotation: float = 0.06
    scale: float = 0.035
    shear: float = 0.05
    gamma: float = 0.35
    unchanged: float = 0.0
    flipped: bool = False
    erased: float = 0.1
    erased_side: int = 7
    erased_to_grey: bool = False


def batches(
    images: LabelledImages, size: int, outlier_target: torch.Tensor, augmentation: BatchAugmentation, random: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Iterate over the images once, in random order: inputs ``float32[size, 1, H, W]``, targets ``float32[size, classes]``.

    The target of an outlier (a class below 0) is ``outlier_target`` ``float32[classes]`` (outlier exposure: Hendrycks et al.,
    ICLR 2019). The last, smaller batch is left out.
    """
    inputs, labels = torch.from_numpy(images.images), torch.from_numpy(images.labels)
    order = torch.randperm(len(labels), generator=random)
    for start in range(0, len(order) - size + 1, size):
        index = order[start : start + size]
        augmented = augment(inputs[index][:, None].float() / 255, augmentation, random)
        yield augmented, target_probabilities(labels[index], outlier_target)


def target_probabilities(labels: torch.Tensor, outlier_target: torch.Tensor) -> torch.Tensor:
    """One-hot targets ``float32[N, classes]`` of classes ``int64[N]``; below 0 the target is ``outlier_target``."""
    targets = functional.one_hot(labels.clamp(min=0), len(outlier_target)).float()
    return torch.where((labels < 0)[:, None], outlier_target, targets)


def uniform_over_labels(fine_classes: Sequence[int]) -> torch.Tensor:
    """The same probability for every label, divided among its fine classes: ``float32[len(fine_classes)]``."""
    labels = torch.tensor(fine_classes)
    counts = torch.bincount(labels)
    return 1 / (len(counts) * counts[labels])


def augment(images: torch.Tensor, augmentation: BatchAugmentation, random: torch.Generator) -> torch.Tensor:
    """Shift, rotate, scale and shear images ``float32[N, 1, H, W]``, change their gamma, and erase parts of some."""
    count = len(images)
    changing = (torch.rand(count, generator=random) >= augmentation.unchanged).float()

    def normal(spread: float) -> torch.Tensor:
        return torch.randn(count, generator=random) * spread * changing

    rotation, shear = normal(augmentation.rotation), normal(augmentation.shear)
    wide, tall = (1 + normal(augmentation.scale) for _ in range(2))
    side = torch.where(torch.rand(count, generator=random) < 0.5, -1.0, 1.0) if augmentation.flipped else torch.ones(count)
    across = torch.stack((side * wide * rotation.cos(), shear - rotation.sin(), normal(augmentation.shift)), dim=1)
    down = torch.stack((rotation.sin(), tall * rotation.cos(), normal(augmentation.shift)), dim=1)
    grid = functional.affine_grid(torch.stack((across, down), dim=1), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, align_corners=False).clamp(0, 1)
    moved = moved ** torch.exp(normal(augmentation.gamma))[:, None, None, None]
    return _erase(moved, augmentation, random)


def _erase(images: torch.Tensor, augmentation: BatchAugmentation, random: torch.Generator) -> torch.Tensor:
    count, _, height, width = images.shape
    each = (count, 1, 1, 1)
    tall, wide = (torch.randint(3, augmentation.erased_side + 1, each, generator=random) for _ in range(2))
    top = torch.randint(0, height, each, generator=random) - tall // 2
    left = torch.randint(0, width, each, generator=random) - wide // 2
    selected = torch.rand(each, generator=random) < augmentation.erased
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None, :]
    hole = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide) & selected
    level = torch.rand(each, generator=random) if augmentation.erased_to_grey else torch.zeros(each)
    return torch.where(hole, level, images)

"""Searches a recipe's splits for images that are in more than one of them."""

import numpy as np

from training.data.datasets import Images
from training.data.duplicates import duplicate_pairs
from training.data.image_sets import ImageSet
from training.data.splits import Split
from training.recipe import Recipe


def find_leaks(recipe: Recipe) -> list[str]:
    """Describe, a line for each source, images that are in another split as well, exactly or up to noise.

    Scans and drawings are compared before they are rendered.
    """
    training, validation, test = recipe.training(0), recipe.validation(), recipe.test()
    splits: tuple[Split, ...] = ("validation", "test")
    outliers = {f"{name}, {split}": images for split in splits for name, images in recipe.out_of_distribution(split).items()}
    lines = []
    for sets, others in ((training, validation | test | outliers), (validation, test)):
        for name, images in sets.items():
            for other_name, other in others.items():
                pairs = [pair for one, two in _same_size(images, other) for pair in duplicate_pairs(one, two)]
                if pairs:
                    count = len({first for first, _ in pairs})
                    lines.append(f"{recipe.name}: {count} images of {name!r} are in {other_name!r} as well")
    return lines


def _same_size(images: ImageSet, other: ImageSet) -> list[tuple[Images, Images]]:
    """The raster sources of two sets, paired by their size."""
    one, two = source_images(images), source_images(other)
    return [(one[shape], two[shape]) for shape in one.keys() & two.keys()]


def source_images(images: ImageSet) -> dict[tuple[int, ...], Images]:
    """Group the raster sources of a set by their shape: ``uint8[N, H, W]``; strokes and numbers are left out."""
    found: dict[tuple[int, ...], list[Images]] = {}
    for source in images.sources:
        scan = source[1] if isinstance(source, tuple) else source
        if isinstance(scan, np.ndarray) and scan.ndim == 2 and scan.dtype == np.uint8:
            found.setdefault(scan.shape, []).append(scan)
    return {shape: np.stack(scans) for shape, scans in found.items()}

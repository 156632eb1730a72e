"""Is a picture that judges a model among those that trained it?"""

import numpy as np

from training.copies import pairs
from training.datasets import Images
from training.frames import Pictures
from training.recipe import Recipe
from training.splits import Part


def leaks(recipe: Recipe) -> list[str]:
    """A line for each source that holds pictures of another part, to the pixel or but for noise; none where all is well.

    Scans and drawings are compared as they are, before any pen or photo changes them.
    """
    training, validation, test = recipe.training(0), recipe.validation(), recipe.test()
    parts: tuple[Part, ...] = ("validation", "test")
    strangers = {f"{name}, {part}": pictures for part in parts for name, pictures in recipe.strangers(part).items()}
    lines = []
    for one, others in ((training, validation | test | strangers), (validation, test)):
        for name, pictures in one.items():
            for held_out, judged in others.items():
                found = [pair for images, known in _alike(pictures, judged) for pair in pairs(images, known)]
                if found:
                    copies = len({first for first, _ in found})
                    lines.append(f"{recipe.name}: {copies} pictures of {name!r} are in {held_out!r} as well")
    return lines


def _alike(pictures: Pictures, judged: Pictures) -> list[tuple[Images, Images]]:
    """The scans of both, by their size."""
    one, two = rasters(pictures), rasters(judged)
    return [(one[shape], two[shape]) for shape in one.keys() & two.keys()]


def rasters(pictures: Pictures) -> dict[tuple[int, ...], Images]:
    """The scans that pictures are made of, by their size: ``uint8[N, H, W]``; strokes and numbers are none."""
    found: dict[tuple[int, ...], list[Images]] = {}
    for source in pictures.sources:
        scan = source[1] if isinstance(source, tuple) else source
        if isinstance(scan, np.ndarray) and scan.ndim == 2 and scan.dtype == np.uint8:
            found.setdefault(scan.shape, []).append(scan)
    return {shape: np.stack(scans) for shape, scans in found.items()}

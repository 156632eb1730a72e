"""Images, predictions and checks for tests of the gallery."""

import numpy as np
from PIL import Image

from gallery import StoredPrediction, prepare_image
from tests.support.pictures import digit, encoded

SEVEN = prepare_image(encoded(digit("7")))
FOUR = prepare_image(encoded(digit("4")))


def prediction(label: str = "7", model: str = "digits") -> StoredPrediction:
    """A prediction to store."""
    return StoredPrediction(
        model=model,
        version="1.0.0",
        label=label,
        confidence=0.75,
        rejected=False,
        category={"label": "digit", "confidence": 0.875},
        top=[{"label": label, "confidence": 0.75}, {"label": "1", "confidence": 0.25}],
    )


def allow(model: str, label: str) -> None:
    """A label check that accepts every label."""


def photo(size: tuple[int, int] = (500, 400)) -> Image.Image:
    """An image with the noise of a photo."""
    grain = np.random.default_rng(7).normal(0, 6, (size[1], size[0], 3))
    slope = np.linspace(60, 200, size[0])[None, :, None]
    return Image.fromarray(np.clip(slope + grain, 0, 255).astype(np.uint8))

"""Generated digits to fit small networks to."""

import numpy as np
import pytest

from training.data.datasets import LabelledImages
from training.data.image_sets import INK, ImageSet
from training.rendering.strokes import draw


@pytest.fixture(scope="session")
def drawings() -> LabelledImages:
    labels = np.tile(np.arange(10, dtype=np.int64), 40)
    return ImageSet(draw, labels, labels, seed=1).model_inputs(INK, 1)

"""Selection of the ink of a drawing."""

import numpy as np

from preprocessing.main_ink import extract_main_ink


def test_image_below_the_noise_level_has_no_ink() -> None:
    assert extract_main_ink(np.full((8, 8), 20, dtype=np.uint8), noise=24) is None

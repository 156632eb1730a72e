"""Augmentation of scans: strokes, distortion, sharpening."""

import numpy as np
from PIL import Image

from training.rendering.augmentation import augment_scan, distort, sharpen, thicken

BAR = np.zeros((28, 28), dtype=np.uint8)
BAR[4:24, 12:16] = 255


def ink(image: Image.Image) -> float:
    return float(np.asarray(image, dtype=np.float64).sum())


def test_augmented_scans_keep_their_ink_and_differ() -> None:
    rng = np.random.default_rng(0)
    images = [augment_scan(BAR, rng) for _ in range(60)]
    assert all(np.asarray(image).max() > 60 for image in images)
    assert len({image.tobytes() for image in images}) > 45


def test_thicken_adds_or_removes_ink() -> None:
    large = Image.fromarray(BAR).resize((112, 112))
    assert ink(thicken(large, 2)) > ink(large) > ink(thicken(large, -2))
    assert thicken(large, 0) is large


def test_thinning_keeps_a_stroke_that_would_vanish() -> None:
    thin = np.zeros((60, 60), dtype=np.uint8)
    thin[10:50, 30:32] = 255
    assert ink(thicken(Image.fromarray(thin), -2)) == ink(Image.fromarray(thin))


def test_sharpen_leaves_few_greys_and_never_a_blank_image() -> None:
    ramp = Image.fromarray(np.tile(np.arange(0, 256, dtype=np.uint8), (4, 1)))
    grey = np.asarray(sharpen(ramp, 0.5))
    assert np.count_nonzero((grey > 0) & (grey < 255)) < 0.25 * grey.size
    faint = Image.fromarray(BAR // 8)
    assert ink(sharpen(faint, 0.6)) == ink(faint)


def test_distort_keeps_the_size_and_most_of_the_ink() -> None:
    large = Image.fromarray(np.pad(BAR, 6)).resize((160, 160))
    distorted = distort(large, np.random.default_rng(1))
    assert distorted.size == large.size
    assert 0.5 < ink(distorted) / ink(large) < 2

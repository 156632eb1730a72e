"""Image sets: rendering on demand, preprocessing, selection."""

import numpy as np
from PIL import Image

from preprocessing import preprocess, tensor
from training.data.datasets import LabelledImages
from training.data.image_sets import INK, OBJECT, ImageSet, concatenate, to_model_input, unchanged
from training.rendering.strokes import draw

BAR = np.zeros((28, 28), dtype=np.uint8)
BAR[4:24, 12:16] = 255


def test_model_input_equals_preprocessing_of_the_service() -> None:
    drawing = draw(4, np.random.default_rng(2))
    assert np.array_equal(tensor(Image.fromarray(to_model_input(drawing)), INK), preprocess(drawing, INK))


def test_model_input_of_a_blank_image_is_zero() -> None:
    assert not to_model_input(Image.new("L", (40, 40))).any()


def test_model_inputs_do_not_depend_on_the_number_of_processes() -> None:
    digits = np.arange(1005, dtype=np.int64) % 10
    one, two = (ImageSet(draw, digits, digits, seed=4).model_inputs(INK, processes) for processes in (1, 2))
    assert one.images.shape == (1005, 28, 28) and one.images.dtype == np.uint8
    assert np.array_equal(one.images, two.images) and np.array_equal(one.labels, digits)
    other = ImageSet(draw, digits[:20], digits[:20], seed=5).model_inputs(INK, 1)
    assert not np.array_equal(one.images[:20], other.images)


def test_model_inputs_are_made_of_the_rendered_images() -> None:
    digits = ImageSet(draw, [3, 5, 8], np.array([3, 5, 8]), seed=1)
    inputs = [to_model_input(image) for image in digits.images()]
    assert len(digits) == len(inputs) == 3
    assert np.array_equal(digits.model_inputs(INK, 1).images, np.stack(inputs))


def test_take_selects_images_with_their_labels() -> None:
    images = ImageSet(unchanged, [BAR, BAR.T, BAR // 2], np.array([3, 5, 8]))
    taken = images.take(np.array([2, 0]))
    assert taken.labels.tolist() == [8, 3]
    assert [np.asarray(image).max() for image in taken.images()] == [127, 255]


def test_scans_are_rendered_unchanged_and_preprocessed_by_the_given_spec() -> None:
    scans = LabelledImages(np.stack([BAR]), np.array([1]))
    (image,) = ImageSet.of(scans).images()
    assert np.array_equal(np.asarray(image), BAR)
    assert np.array_equal(ImageSet.of(scans).model_inputs(OBJECT, 1).images[0], to_model_input(image, OBJECT))
    assert not np.array_equal(to_model_input(image, OBJECT), to_model_input(image, INK))


def test_concatenate_keeps_the_order() -> None:
    part = ImageSet.of(LabelledImages(np.stack([BAR, BAR.T]), np.array([1, 2]))).model_inputs(INK, 1)
    whole = concatenate([part, part])
    assert whole.labels.tolist() == [1, 2, 1, 2]
    assert np.array_equal(whole.images[1:3], part.images[::-1])

"""training.augment and training.frames: what becomes of a scanned digit on its way into a bank."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import preprocess, tensor
from training.augment import bend, harden, thicken, vary
from training.datasets import Labelled
from training.frames import INK, OBJECT, Pictures, as_it_is, frame, joined, scanned
from training.strokes import draw


def bar() -> npt.NDArray[np.uint8]:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 12:16] = 255
    return picture


def ink(image: Image.Image) -> float:
    return float(np.asarray(image, dtype=np.float64).sum())


def test_a_varied_picture_keeps_its_ink_and_is_seldom_the_same_twice() -> None:
    hand = np.random.default_rng(0)
    made = [vary(bar(), hand) for _ in range(60)]
    assert all(np.asarray(image).max() > 60 for image in made)
    assert len({image.tobytes() for image in made}) > 45


def test_thickening_adds_ink_and_thinning_takes_some() -> None:
    large = Image.fromarray(bar()).resize((112, 112))
    assert ink(thicken(large, 2)) > ink(large) > ink(thicken(large, -2))
    assert thicken(large, 0) is large


def test_thinning_does_not_lose_a_hair_stroke() -> None:
    thin = np.zeros((60, 60), dtype=np.uint8)
    thin[10:50, 30:32] = 255
    assert ink(thicken(Image.fromarray(thin), -2)) == ink(Image.fromarray(thin))


def test_hardening_leaves_few_greys_and_never_an_empty_picture() -> None:
    ramp = Image.fromarray(np.tile(np.arange(0, 256, dtype=np.uint8), (4, 1)))
    grey = np.asarray(harden(ramp, 0.5))
    assert np.count_nonzero((grey > 0) & (grey < 255)) < 0.25 * grey.size
    faint = Image.fromarray(bar() // 8)
    assert ink(harden(faint, 0.6)) == ink(faint)


def test_bending_keeps_the_size_and_most_of_the_ink() -> None:
    large = Image.fromarray(np.pad(bar(), 6)).resize((160, 160))
    bent = bend(large, np.random.default_rng(1))
    assert bent.size == large.size
    assert 0.5 < ink(bent) / ink(large) < 2


def test_a_frame_is_what_serving_makes_of_the_same_picture() -> None:
    drawing = draw(4, np.random.default_rng(2))
    assert np.array_equal(tensor(Image.fromarray(frame(drawing)), INK), preprocess(drawing, INK))


def test_a_picture_without_ink_becomes_an_empty_frame() -> None:
    assert not frame(Image.new("L", (40, 40))).any()


def test_a_bank_is_the_same_for_one_process_and_two() -> None:
    digits = np.arange(1005, dtype=np.int64) % 10
    alone, together = (Pictures(draw, digits, digits, seed=4).frames(INK, processes) for processes in (1, 2))
    assert alone.images.shape == (1005, 28, 28) and alone.images.dtype == np.uint8
    assert np.array_equal(alone.images, together.images) and np.array_equal(alone.labels, digits)
    other = Pictures(draw, digits[:20], digits[:20], seed=5).frames(INK, 1)
    assert not np.array_equal(alone.images[:20], other.images)


def test_a_bank_holds_the_frames_of_the_pictures_one_can_look_at() -> None:
    pictures = Pictures(draw, [3, 5, 8], np.array([3, 5, 8]), seed=1)
    seen = [frame(image) for image in pictures.images()]
    assert len(pictures) == len(seen) == 3
    assert np.array_equal(pictures.frames(INK, 1).images, np.stack(seen))


def test_some_of_the_pictures_go_with_their_labels() -> None:
    pictures = Pictures(as_it_is, [bar(), bar().T, bar() // 2], np.array([3, 5, 8]))
    taken = pictures.take(np.array([2, 0]))
    assert taken.labels.tolist() == [8, 3]
    assert [np.asarray(image).max() for image in taken.images()] == [127, 255]


def test_a_scan_is_shown_as_it_is_and_framed_as_things_are_where_the_model_reads_things() -> None:
    scans = Labelled(np.stack([bar()]), np.array([1]))
    (shown,) = scanned(scans).images()
    assert np.array_equal(np.asarray(shown), bar())
    assert np.array_equal(scanned(scans).frames(OBJECT, 1).images[0], frame(shown, OBJECT))
    assert not np.array_equal(frame(shown, OBJECT), frame(shown, INK))


def test_banks_are_joined_in_order() -> None:
    part = scanned(Labelled(np.stack([bar(), bar().T]), np.array([1, 2]))).frames(INK, 1)
    whole = joined([part, part])
    assert whole.labels.tolist() == [1, 2, 1, 2]
    assert np.array_equal(whole.images[1:3], part.images[::-1])

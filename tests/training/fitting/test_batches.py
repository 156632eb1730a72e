"""Batches: targets, order and augmentation."""

import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch

from training.data.datasets import LabelledImages
from training.data.outliers import OUTLIER
from training.fitting.batches import BatchAugmentation, augment, batches, target_probabilities, uniform_over_labels


def test_target_of_an_outlier_is_uniform() -> None:
    targets = target_probabilities(torch.tensor([3, OUTLIER]), uniform_over_labels(range(10)))
    assert targets[0].tolist() == [0, 0, 0, 1] + [0] * 6
    assert targets[1].tolist() == pytest.approx([0.1] * 10)


def test_target_of_an_outlier_is_uniform_over_labels() -> None:
    targets = target_probabilities(torch.tensor([OUTLIER, 2]), uniform_over_labels([0, 0, 0, 1, 2, 2]))
    assert targets[0].tolist() == pytest.approx([1 / 9] * 3 + [1 / 3] + [1 / 6] * 2)
    assert targets[1].tolist() == [0, 0, 1, 0, 0, 0]


def test_batches_have_every_image_once_in_an_order_of_the_seed(drawings: LabelledImages) -> None:
    def shuffled(seed: int) -> list[torch.Tensor]:
        random = torch.Generator().manual_seed(seed)
        uniform = uniform_over_labels(range(10))
        return [targets.argmax(dim=1) for _, targets in batches(drawings, 50, uniform, BatchAugmentation(), random)]

    first, repeated, other = torch.cat(shuffled(1)), torch.cat(shuffled(1)), torch.cat(shuffled(2))
    assert torch.equal(first, repeated) and not torch.equal(first, other)
    assert torch.bincount(first).tolist() == [40] * 10


STRONG = BatchAugmentation(flipped=True, erased=0.5, erased_side=14, erased_to_grey=True, unchanged=0.3)


def augmented(drawings: LabelledImages, augmentation: BatchAugmentation) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(drawings.images)[:, None].float() / 255
    return images, augment(images, augmentation, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("augmentation", [BatchAugmentation(), STRONG])
def test_augmented_images_stay_between_0_and_1(drawings: LabelledImages, augmentation: BatchAugmentation) -> None:
    images, after = augmented(drawings, augmentation)
    assert after.shape == images.shape
    assert after.min() >= 0 and after.max() <= 1 and after.isfinite().all()
    assert after.mean().item() == pytest.approx(images.mean().item(), rel=0.5)


def test_images_stay_the_same_without_augmentation(drawings: LabelledImages) -> None:
    images, after = augmented(drawings, BatchAugmentation(unchanged=1, erased=0))
    assert torch.allclose(images, after, atol=1e-5)


def test_half_of_the_images_are_flipped(drawings: LabelledImages) -> None:
    images, after = augmented(drawings, BatchAugmentation(unchanged=1, erased=0, flipped=True))
    same = (images - after).abs().amax(dim=(1, 2, 3)) < 1e-4
    flipped = (images.flip(3) - after).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (same | flipped).all() and 0.4 < flipped.double().mean() < 0.6


def test_erased_parts_are_black_or_grey(drawings: LabelledImages) -> None:
    images, after = augmented(drawings, BatchAugmentation(unchanged=1, erased=1))
    assert (after <= images + 1e-5).all() and not torch.allclose(images, after, atol=1e-3)
    assert augmented(drawings, BatchAugmentation(unchanged=1, erased=1, erased_to_grey=True))[1].mean() > after.mean()

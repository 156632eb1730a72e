"""The networks: their size, and the merging of fine classes."""

from collections.abc import Callable

import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from torch import nn

from training.fitting.network import MergedClasses, count_parameters, plain_cnn, predict_logits, residual_cnn


@pytest.mark.parametrize(
    ("network", "fewest", "most"),
    [
        (lambda: plain_cnn((16, 32, 48, 64, 80, 96), 10), 60_000, 200_000),
        (lambda: residual_cnn((24, 48, 96), (1, 1, 1), 10), 100_000, 400_000),
    ],
)
def test_networks_are_small(network: Callable[[], nn.Sequential], fewest: int, most: int) -> None:
    model = network().eval()
    assert fewest <= count_parameters(model) <= most
    assert predict_logits(model, torch.zeros((3, 28, 28), dtype=torch.uint8), batch_size=2).shape == (3, 10)


def test_merged_probabilities_are_the_sums_of_fine_classes() -> None:
    fine_classes = torch.randn((4, 6), generator=torch.Generator().manual_seed(0)) * 20
    merged = MergedClasses([3, 1, 2]).eval()(fine_classes).softmax(dim=1)
    fine = fine_classes.double().softmax(dim=1)
    expected = torch.stack([fine[:, :3].sum(dim=1), fine[:, 3], fine[:, 4:].sum(dim=1)], dim=1)
    assert torch.allclose(merged.double(), expected, atol=1e-5)

"""Random batches of a bank of frames, each frame a little changed every time it is seen."""

from collections.abc import Iterator

import torch
from torch.nn import functional

from training.datasets import Labelled
from training.network import CLASSES

SHIFT = 0.09
TURN = 0.12
STRETCH = 0.07
SLANT = 0.1
GAMMA = 0.35
ERASED = 0.1
ERASURE = 7


def batches(bank: Labelled, size: int, random: torch.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Every frame of the bank once, in random order: pictures ``float32[size, 1, 28, 28]`` and targets ``float32[size, 10]``.

    The target of a digit is its class, that of an outlier (class below 0) the same probability for every class
    (outlier exposure: Hendrycks et al., ICLR 2019). The last, smaller batch is left out.
    """
    frames, labels = torch.from_numpy(bank.images), torch.from_numpy(bank.labels)
    order = torch.randperm(len(labels), generator=random)
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        yield change(frames[chosen][:, None].float() / 255, random), targets(labels[chosen])


def targets(labels: torch.Tensor) -> torch.Tensor:
    """Probabilities ``float32[N, 10]`` to aim at for classes ``int64[N]``."""
    aims = functional.one_hot(labels.clamp(min=0), CLASSES).float()
    aims[labels < 0] = 1 / CLASSES
    return aims


def change(pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """The pictures ``float32[N, 1, H, W]`` moved, turned, stretched and slanted a little, lighter or darker, some torn."""
    count = len(pictures)

    def normal(spread: float) -> torch.Tensor:
        return torch.randn(count, generator=random) * spread

    turn, slant = normal(TURN / 2), normal(SLANT / 2)
    wide, tall = (1 + normal(STRETCH / 2) for _ in range(2))
    across = torch.stack((wide * turn.cos(), slant - turn.sin(), normal(SHIFT / 2)), dim=1)
    down = torch.stack((turn.sin(), tall * turn.cos(), normal(SHIFT / 2)), dim=1)
    grid = functional.affine_grid(torch.stack((across, down), dim=1), list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False).clamp(0, 1)
    moved = moved ** torch.exp(normal(GAMMA))[:, None, None, None]
    return _torn(moved, random)


def _torn(pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """A few pictures lose a small square, as a stroke that skipped does (random erasing: Zhong et al., AAAI 2020)."""
    count, _, height, width = pictures.shape
    side = torch.randint(3, ERASURE + 1, (count, 1, 1, 1), generator=random)
    top = torch.randint(0, height, (count, 1, 1, 1), generator=random)
    left = torch.randint(0, width, (count, 1, 1, 1), generator=random)
    chosen = torch.rand((count, 1, 1, 1), generator=random) < ERASED
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None, :]
    hole = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side) & chosen
    return pictures.masked_fill(hole, 0)

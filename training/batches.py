"""Random batches of a bank of frames, each frame a little changed every time it is seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from training.datasets import Labelled


@dataclass(frozen=True, slots=True)
class Wobble:
    """How much frames change: standard deviations, as shares of half the frame (``shift``), radians (``turn``) or ratios.

    ``still`` is the share of frames that are not moved at all, ``torn`` the share that lose a rectangle of ``hole`` pixels
    a side at the most (random erasing: Zhong et al., AAAI 2020), to paper or, with ``patched``, to any grey.
    """

    shift: float = 0.045
    turn: float = 0.06
    stretch: float = 0.035
    slant: float = 0.05
    gamma: float = 0.35
    still: float = 0.0
    mirrored: bool = False
    torn: float = 0.1
    hole: int = 7
    patched: bool = False


def batches(
    bank: Labelled, size: int, doubt: torch.Tensor, wobble: Wobble, random: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Every frame once, in random order: pictures ``float32[size, 1, H, W]`` and targets ``float32[size, classes]``.

    The target of a frame is its class, that of an outlier (class below 0) is ``doubt``, ``float32[classes]``
    (outlier exposure: Hendrycks et al., ICLR 2019). The last, smaller batch is left out.
    """
    frames, labels = torch.from_numpy(bank.images), torch.from_numpy(bank.labels)
    order = torch.randperm(len(labels), generator=random)
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        yield change(frames[chosen][:, None].float() / 255, wobble, random), targets(labels[chosen], doubt)


def targets(labels: torch.Tensor, doubt: torch.Tensor) -> torch.Tensor:
    """Probabilities ``float32[N, classes]`` to aim at for classes ``int64[N]``; below 0 they are ``doubt``."""
    aims = functional.one_hot(labels.clamp(min=0), len(doubt)).float()
    return torch.where((labels < 0)[:, None], doubt, aims)


def doubtful(kinds: Sequence[int]) -> torch.Tensor:
    """The same probability for every label, shared evenly by its kinds: ``float32[len(kinds)]``, see ``Recipe.kinds``."""
    places = torch.tensor(kinds)
    counts = torch.bincount(places)
    return 1 / (len(counts) * counts[places])


def change(pictures: torch.Tensor, wobble: Wobble, random: torch.Generator) -> torch.Tensor:
    """The pictures ``float32[N, 1, H, W]`` moved, turned, stretched and slanted a little, lighter or darker, some torn."""
    count = len(pictures)
    moving = (torch.rand(count, generator=random) >= wobble.still).float()

    def normal(spread: float) -> torch.Tensor:
        return torch.randn(count, generator=random) * spread * moving

    turn, slant = normal(wobble.turn), normal(wobble.slant)
    wide, tall = (1 + normal(wobble.stretch) for _ in range(2))
    side = torch.where(torch.rand(count, generator=random) < 0.5, -1.0, 1.0) if wobble.mirrored else torch.ones(count)
    across = torch.stack((side * wide * turn.cos(), slant - turn.sin(), normal(wobble.shift)), dim=1)
    down = torch.stack((turn.sin(), tall * turn.cos(), normal(wobble.shift)), dim=1)
    grid = functional.affine_grid(torch.stack((across, down), dim=1), list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False).clamp(0, 1)
    moved = moved ** torch.exp(normal(wobble.gamma))[:, None, None, None]
    return _torn(moved, wobble, random)


def _torn(pictures: torch.Tensor, wobble: Wobble, random: torch.Generator) -> torch.Tensor:
    count, _, height, width = pictures.shape
    each = (count, 1, 1, 1)
    tall, wide = (torch.randint(3, wobble.hole + 1, each, generator=random) for _ in range(2))
    top = torch.randint(0, height, each, generator=random) - tall // 2
    left = torch.randint(0, width, each, generator=random) - wide // 2
    chosen = torch.rand(each, generator=random) < wobble.torn
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None, :]
    hole = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide) & chosen
    level = torch.rand(each, generator=random) if wobble.patched else torch.zeros(each)
    return torch.where(hole, level, pictures)

"""The networks: a plain chain of convolutions for ink, one with residual blocks for things with their own light and dark."""

from collections.abc import Sequence

import torch
from torch import nn

STRIDES = (1, 2, 1, 2, 1, 2)
"""28x28 -> 14x14 -> 7x7 -> 4x4."""


def convolutions(widths: Sequence[int], classes: int, dropout: float = 0.25) -> nn.Sequential:
    """Six 3x3 convolutions of ``widths`` channels and one linear layer: ``float32[N, 1, 28, 28]`` to ``float32[N, classes]``.

    Striding instead of pooling, and no layer that ONNX Runtime would not fuse: 16 to 96 channels take less than a tenth of a
    millisecond a picture on one core.
    """
    layers: list[nn.Module] = []
    channels = 1
    for width, stride in zip(widths, STRIDES, strict=True):
        layers += [*convolution(channels, width, stride), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels * 16, classes))


def residual(widths: Sequence[int], blocks: Sequence[int], classes: int, dropout: float = 0.3) -> nn.Sequential:
    """A small residual network (He et al., CVPR 2016): ``float32[N, 1, 28, 28]`` to ``float32[N, classes]``.

    Each stage begins with a convolution to its width, from the second on at half the size, then come its residual blocks;
    the mean over all places goes into one linear layer.
    """
    layers: list[nn.Module] = []
    channels = 1
    for number, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        layers += [*convolution(channels, width, 2 if number else 1), nn.ReLU(inplace=True)]
        layers += [Residual(width) for _ in range(count)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes))


class Residual(nn.Module):
    """Two 3x3 convolutions whose outcome is added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*convolution(channels, channels), nn.ReLU(inplace=True), *convolution(channels, channels))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """``float32[N, channels, H, W]`` to the same shape."""
        return torch.relu(pictures + self.body(pictures))


class Merged(nn.Module):
    """Logits of labels from those of their kinds, neighbours all: the log of the sum of exponentials, as probabilities add.

    While the network trains, the logits of the kinds are let through.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = list(sizes)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """``float32[N, sum(sizes)]`` to the same, or to ``float32[N, len(sizes)]`` when it does not train."""
        if self.training:
            return logits
        return torch.stack([kinds.logsumexp(dim=1) for kinds in logits.split(self.sizes, dim=1)], dim=1)

    def extra_repr(self) -> str:
        """What ``print`` tells of it, by which a resumed run knows its network."""
        return f"sizes={self.sizes}"


def convolution(channels: int, width: int, stride: int = 1) -> list[nn.Module]:
    """A 3x3 convolution and its batch normalisation."""
    return [nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width)]


def parameters(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def logits(model: nn.Module, frames: torch.Tensor, batch: int = 1000) -> torch.Tensor:
    """Logits ``float32[N, K]`` of frames ``uint8[N, H, W]``, without training."""
    model.eval()
    with torch.inference_mode():
        parts = [model(part[:, None].float() / 255) for part in frames.split(batch)]
    return torch.cat(parts)

"""The networks: a plain chain of convolutions for ink, and a small residual network for photographed objects."""

from collections.abc import Sequence

import torch
from torch import nn

STRIDES = (1, 2, 1, 2, 1, 2)
"""28x28 -> 14x14 -> 7x7 -> 4x4."""


def plain_cnn(widths: Sequence[int], classes: int, dropout: float = 0.25) -> nn.Sequential:
    """Six 3x3 convolutions of ``widths`` channels and a linear layer: ``float32[N, 1, 28, 28]`` to ``float32[N, classes]``.

    It strides instead of pooling and has only layers that ONNX Runtime fuses: with 16 to 96 channels an image takes less than
    a tenth of a millisecond on one core.
    """
    layers: list[nn.Module] = []
    channels = 1
    for width, stride in zip(widths, STRIDES, strict=True):
        layers += [*conv_bn(channels, width, stride), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels * 16, classes))


def residual_cnn(widths: Sequence[int], blocks: Sequence[int], classes: int, dropout: float = 0.3) -> nn.Sequential:
    """A small residual network (He et al., CVPR 2016): ``float32[N, 1, 28, 28]`` to ``float32[N, classes]``.

    Each stage has a convolution to its width, with stride 2 from the second stage on, and its residual blocks. Global average
    pooling and one linear layer follow.
    """
    layers: list[nn.Module] = []
    channels = 1
    for number, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        layers += [*conv_bn(channels, width, 2 if number else 1), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(width) for _ in range(count)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose output is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*conv_bn(channels, channels), nn.ReLU(inplace=True), *conv_bn(channels, channels))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``float32[N, channels, H, W]`` to the same shape."""
        return torch.relu(images + self.body(images))


class MergedClasses(nn.Module):
    """Merges the logits of consecutive fine classes into those of their labels, so that their probabilities add up.

    A label's logit is the log of the sum of exponentials. In training mode the logits of the fine classes are passed through.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = list(sizes)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """``float32[N, sum(sizes)]`` to ``float32[N, len(sizes)]``, in training mode to the same."""
        if self.training:
            return logits
        return torch.stack([fine.logsumexp(dim=1) for fine in logits.split(self.sizes, dim=1)], dim=1)

    def extra_repr(self) -> str:
        """The sizes as text, so that a resumed run recognises its network."""
        return f"sizes={self.sizes}"


def conv_bn(channels: int, width: int, stride: int = 1) -> list[nn.Module]:
    """A 3x3 convolution and its batch normalisation."""
    return [nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width)]


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def predict_logits(network: nn.Module, images: torch.Tensor, batch_size: int = 1000) -> torch.Tensor:
    """Compute logits ``float32[N, K]`` of model inputs ``uint8[N, H, W]`` in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        parts = [network(part[:, None].float() / 255) for part in images.split(batch_size)]
    return torch.cat(parts)

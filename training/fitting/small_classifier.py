"""Trains a small network on pictures with any preprocessing, and exports it to ONNX with PyTorch's own exporter."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from preprocessing import InputSpec, frame_image, tensor
from training.data.datasets import Labels

BATCH_SIZE: Final = 64
LEARNING_RATE: Final = 3e-3


class SmallClassifier(nn.Module):
    """Two convolutions and a linear layer, on float32[N, C, H, W], or [N, H, W, C] with ``channels_last``."""

    def __init__(self, spec: InputSpec, classes: int) -> None:
        super().__init__()
        self.channels_last = spec.layout == "NHWC"
        self.layers = nn.Sequential(
            *(nn.Conv2d(spec.channels, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(32 * (spec.height // 4) * (spec.width // 4), classes)),
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """The logits float32[N, classes]."""
        logits: torch.Tensor = self.layers(batch.permute(0, 3, 1, 2) if self.channels_last else batch)
        return logits


def train_classifier(
    images: Sequence[Image.Image], labels: Labels, classes: int, spec: InputSpec, epochs: int, seed: int = 0
) -> SmallClassifier:
    """Train with Adam on pictures that are preprocessed as ``spec`` says."""
    torch.manual_seed(seed)
    network = SmallClassifier(spec, classes)
    inputs = torch.from_numpy(np.stack([tensor(frame_image(image, spec), spec) for image in images]))
    truth = torch.from_numpy(labels)
    steps = epochs * -(-len(inputs) // BATCH_SIZE)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for index in torch.randperm(len(inputs)).split(BATCH_SIZE):
            optimizer.zero_grad()
            functional.cross_entropy(network(inputs[index]), truth[index]).backward()
            optimizer.step()
            schedule.step()
    network.eval()
    return network


def export_classifier(network: SmallClassifier, spec: InputSpec, path: Path) -> None:
    """Write the network as ONNX with a free batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package says that it is the older one
        torch.onnx.export(
            network,
            (torch.zeros(2, *spec.shape),),
            str(path),
            dynamo=False,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        )

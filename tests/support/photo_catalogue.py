"""A catalogue of classifiers of whole photos, of which a test knows what they say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, write_card
from models.card_fields import Calibration, Rejection
from models.outputs import OutputSpec
from preprocessing import InputSpec, PhotoGeometry
from tests.models.catalogues import provenance
from tests.models.forms import graph
from tests.models.graphs import node

COLOURS: Final = ["red", "green", "blue"]
MANY_LABELS: Final = [*COLOURS, *(f"colour {number}, of which people also say other things" for number in range(997))]
SIDE: Final = 16


def write_photo_catalogue(catalogue: Path) -> None:
    """colours tells which of red, green and blue a picture has most of; tints, which of them it has at all, each for itself;
    many, the same as colours among a thousand labels; brightness, in grey, whether it is dark or bright."""
    add_photo_model(catalogue, "colours", COLOURS, [[9, 0, 0], [0, 9, 0], [0, 0, 9]], [0, 0, 0])
    tints = [[9, 0, 0], [0, 9, 0], [0, 0, 9]]
    add_photo_model(catalogue, "tints", COLOURS, tints, [-4, -4, -4], multi_label=True)
    many = np.concatenate([9 * np.eye(3), np.zeros((3, 997))], axis=1).tolist()
    add_photo_model(catalogue, "many", MANY_LABELS, many, [0.0] * 1000)
    add_photo_model(catalogue, "brightness", ["dark", "bright"], [[0, 18]], [0, -9])


def add_photo_model(
    catalogue: Path,
    name: str,
    labels: Sequence[str],
    weights: Sequence[Sequence[float]],
    bias: Sequence[float],
    *,
    multi_label: bool = False,
) -> None:
    """Add a classifier whose logits are the mean level of each channel, 0 to 1, times ``weights[channel][label]``, and the
    bias; with one row of weights it is grey."""
    folder = catalogue / name
    folder.mkdir(parents=True)
    nodes = [
        node("GlobalAveragePool", "x", "m"),
        node("Flatten", "m", "f"),
        node("MatMul", "f w", "z"),
        node("Add", "z b", "y"),
    ]
    constants = {"w": np.array(weights, np.float32), "b": np.array(bias, np.float32)}
    onnx.save(graph(nodes, constants, ("N", len(weights), SIDE, SIDE)), folder / MODEL_FILE)
    card = ModelCard(
        name=name,
        version="1.0.0",
        title=name,
        task="classify",
        labels=list(labels),
        input=InputSpec(height=SIDE, width=SIDE, colour="RGB" if len(weights) == 3 else "grey", geometry=PhotoGeometry()),
        output=OutputSpec(multi_label=multi_label),
        calibration=Calibration(temperature=1),
        rejection=Rejection(score="max_softmax", threshold=0),
        metrics=[],
        provenance=provenance(),
        licence="none",
        sha256=file_sha256(folder / MODEL_FILE),
    )
    write_card(card, folder / CARD_FILE)

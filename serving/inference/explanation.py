"""Explains a prediction: the stages of preprocessing, the logits, and an occlusion heat map of the ink that mattered."""

from dataclasses import dataclass
from typing import Final

import anyio.to_thread
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.card import ModelCard
from preprocessing import Stage, Tensor, tensor
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.cascade import Model
from serving.inference.postprocessing import softmax
from serving.inference.prediction import Prediction

PATCH_RATIO: Final = 5 / 28  # of the frame's side, about a fifth of a digit
STEPS: Final = 12  # positions of the patch along a side, which bounds the occlusions whatever the size of the frame


@dataclass(frozen=True, slots=True)
class ExplainedPrediction:
    """How a prediction came about: of the classifier that gave the label the preprocessing stages, ``labels`` and ``logits``
    float32[K], and the heat map with a sentence about it."""

    prediction: Prediction
    stages: list[Stage]
    labels: list[str]
    logits: Tensor
    heat_map: Image.Image
    note: str


async def explain(model: Model, image: bytes | memoryview, device: str, token: CancellationToken) -> ExplainedPrediction:
    """Predict for one image and explain the prediction; for a cascade, that of the model that gave the label, or of the first
    where the label is a category.

    Raises:
        Problem: that of the image; as ``Classifier.predict``.
        ClientDisconnect: the client closed its connection.
    """
    (prediction,) = await model.predict([image], device, token)
    if isinstance(prediction, Problem):
        raise prediction
    classifier, output, label = model.source(prediction)
    card = classifier.card
    stages = await classifier.preprocessor.stages(image, token)
    frame = stages[-1].image
    corners, covered = await anyio.to_thread.run_sync(occlusions, frame, card)
    logits = np.stack([output.logits, *await classifier.infer_in_batches(covered, device, token)])
    picture, note = await anyio.to_thread.run_sync(heat_map, frame, card, corners, logits, card.labels.index(label))
    return ExplainedPrediction(prediction, stages, card.labels, output.logits, picture, note)


def heat_map(
    frame: Image.Image, card: ModelCard, corners: list[tuple[int, int]], logits: Tensor, winner: int
) -> tuple[Image.Image, str]:
    """Occlusion sensitivity (Zeiler & Fergus, ECCV 2014) as a picture, and one sentence about it.

    A patch of background slides over the frame; where the margin of the winner over the other classes shrinks, ink mattered.
    The margin is that of the logits, which does not saturate for confident predictions. ``logits`` float32[1+N,K] are of the
    frame and of its N occlusions at ``corners``.
    """
    margins = margin(logits, winner)
    drops = margins[0] - margins[1:]
    patch, heat = patch_side(card.input.size), np.zeros((card.input.size, card.input.size))
    cover = np.zeros_like(heat)
    for (top, left), drop in zip(corners, drops, strict=True):
        heat[top : top + patch, left : left + patch] += max(0.0, drop)
        cover[top : top + patch, left : left + patch] += 1
    heat /= np.maximum(cover, 1)
    largest = float(heat.max())
    picture = Image.fromarray(colours(frame, heat / largest if largest > 0 else heat))
    before, after = (percent(float(softmax(logits[index], card.calibration)[winner])) for index in (0, 1 + int(drops.argmax())))
    change = (
        f"leaves {card.labels[winner]!r} at {after}"
        if before == after
        else f"takes {card.labels[winner]!r} from {before} to {after}"
    )
    return picture, f"Covering the ink that mattered most {change}."


def percent(probability: float) -> str:
    """A probability to a tenth of a percent, never as 0% or 100%."""
    if 0.001 <= probability <= 0.999:
        return f"{probability:.1%}"
    return "more than 99.9%" if probability > 0.5 else "less than 0.1%"


def margin(logits: Tensor, winner: int) -> npt.NDArray[np.float64]:
    """The winner's logit minus the best other one, float64[N] of logits float32[N,K]."""
    others = np.delete(logits.astype(np.float64), winner, axis=1)
    return np.asarray(logits[:, winner] - others.max(axis=1))


def occlusions(frame: Image.Image, card: ModelCard) -> tuple[list[tuple[int, int]], list[Tensor]]:
    """Top-left corners of the patches that contain ink, and the frames with each of them covered, float32[C,H,W]."""
    background = 0 if card.input.geometry.polarity == "light_on_dark" else 255
    pixels = np.asarray(frame)
    patch = patch_side(card.input.size)
    starts = range(0, card.input.size - patch + 1, -(-(card.input.size - patch) // STEPS))
    corners = [(y, x) for y in starts for x in starts if (pixels[y : y + patch, x : x + patch] != background).any()]
    covered = []
    for top, left in corners:
        copy = pixels.copy()
        copy[top : top + patch, left : left + patch] = background
        covered.append(tensor(Image.fromarray(copy), card.input))
    return corners, covered


def patch_side(size: int) -> int:
    """Side in pixels of the occluding patch for a frame of ``size`` pixels."""
    return max(2, round(size * PATCH_RATIO))


def colours(frame: Image.Image, heat: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Ink in grey under the heat (0..1) in orange: uint8[H,W,3]."""
    ink = np.asarray(frame, dtype=np.float64)[..., None] / 255
    glow = heat[..., None]
    return np.asarray((ink * 0.45 * (1 - glow) + glow * np.array([1.0, 0.55, 0.1])) * 255, dtype=np.uint8)

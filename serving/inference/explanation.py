"""Explains a prediction: the stages of preprocessing, the logits, and an occlusion heat map of what mattered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio.to_thread
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.card import ModelCard
from models.outputs import LOGITS, OutputSpec
from preprocessing import InputSpec, Stage, Tensor, crop_stages, tensor
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.classifier import Classifier
from serving.inference.local_runner import ModelOutput
from serving.inference.postprocessing import probabilities_of
from serving.inference.segmentation_stages import segmentation_stages
from serving.inference.sequence import Model, SequenceModel
from serving.inference.sequence_prediction import AnyPrediction

PATCH_RATIO: Final = 5 / 28  # of the frame's side, about a fifth of a digit
STEPS: Final = 12  # between positions of the patch along a side, which bounds the occlusions whatever the size of the frame
# All of a photo is covered, and models of large frames take long: there the patches only just overlap.
LARGE_FRAME: Final = 128 * 128
LARGE_FRAME_STEPS: Final = 5
# Pixels of the pictures of stages: of one character, object or photo, and of many characters.
MAX_PICTURE_SIDE: Final = 280
MAX_SEGMENTATION_SIDE: Final = 960
PHOTO_HEAT: Final = 0.7  # so that the part of a photo that mattered stays visible under the heat


@dataclass(frozen=True, slots=True)
class ExplainedPrediction:
    """How a prediction came about: of the classifier that gave the label the preprocessing stages, ``labels`` and ``logits``
    float32[K], and the heat map, if it was requested, with a sentence about it. Of the segmentation of a sequence there are
    stages alone. Stages are shown with at most ``max_side`` pixels a side."""

    prediction: AnyPrediction
    stages: list[Stage]
    labels: list[str]
    logits: Tensor
    heat_map: Image.Image | None = None
    note: str = ""
    max_side: int = MAX_PICTURE_SIDE


async def explain(
    model: Model,
    image: bytes | memoryview,
    device: str,
    token: CancellationToken,
    *,
    with_heat_map: bool = True,
    character: int | None = None,
) -> ExplainedPrediction:
    """Predict for one image and explain the prediction; for a cascade, that of the model that gave the label, or of the first
    where the label is a category.

    For a sequence, its segmentation is shown, or ``character``, counted from 0, is explained like an image of its own.

    Raises:
        Problem: that of the image; ``bad_request`` for a character that there is not; as ``Classifier.predict``.
        ClientDisconnect: the client closed its connection.
    """
    if isinstance(model, SequenceModel):
        return await _explain_sequence(model, image, device, token, with_heat_map=with_heat_map, character=character)
    if character is not None:
        raise Problem("bad_request", f"character={character}: {model.card.name} reads one character. Leave `character` out.")
    (prediction,) = await model.predict([image], device, token)
    if isinstance(prediction, Problem):
        raise prediction
    source = classifier, *_ = model.source(prediction)
    stages = await classifier.preprocessor.stages(image, token)
    return await _explain_output(prediction, source, stages, device, token, with_heat_map=with_heat_map)


async def _explain_sequence(
    model: SequenceModel,
    image: bytes | memoryview,
    device: str,
    token: CancellationToken,
    *,
    with_heat_map: bool,
    character: int | None,
) -> ExplainedPrediction:
    """As ``explain``, for a sequence."""
    (prediction,) = await model.predict([image], device, token)
    if isinstance(prediction, Problem):
        raise prediction
    if character is None:
        stages = await model.preprocessor.decode_and(partial(segmentation_stages, prediction=prediction), image, token)
        return ExplainedPrediction(prediction, stages, [], np.zeros(0, np.float32), max_side=MAX_SEGMENTATION_SIDE)
    count = len(prediction.characters)
    if character >= count:
        there = f"has {count} characters, from 0 to {count - 1}" if count > 1 else "has one character, 0"
        raise Problem("bad_request", f"character={character}: the image {there}.")
    chosen = prediction.characters[character]
    source = classifier, *_ = model.source(chosen)
    stages = await anyio.to_thread.run_sync(crop_stages, chosen.candidate.crop, classifier.card.input)
    return await _explain_output(prediction, source, stages, device, token, with_heat_map=with_heat_map)


async def _explain_output(
    prediction: AnyPrediction,
    source: tuple[Classifier, ModelOutput, str],
    stages: list[Stage],
    device: str,
    token: CancellationToken,
    *,
    with_heat_map: bool,
) -> ExplainedPrediction:
    """Explain the output of a classifier, and its label, for the frame that is the last of ``stages``."""
    classifier, output, label = source
    card = classifier.card
    if not with_heat_map:
        return ExplainedPrediction(prediction, stages, card.labels, output.logits)
    frame = stages[-1].image
    corners = await anyio.to_thread.run_sync(covered_corners, frame, card)
    logits = np.stack([output.logits, *await classifier.infer_in_batches(occlusions(frame, card, corners), device, token)])
    picture, note = await anyio.to_thread.run_sync(heat_map, frame, card, corners, logits, card.labels.index(label))
    return ExplainedPrediction(prediction, stages, card.labels, output.logits, picture, note)


def heat_map(
    frame: Image.Image, card: ModelCard, corners: list[tuple[int, int]], logits: Tensor, winner: int
) -> tuple[Image.Image, str]:
    """Occlusion sensitivity (Zeiler & Fergus, ECCV 2014) as a picture, and one sentence about it.

    A patch of background, or of a photo's mean colour, slides over the frame; where the margin of the winner over the other
    classes shrinks, what is covered mattered. The margin is that of the logits, which does not saturate for confident
    predictions. ``logits`` float32[1+N,K] are of the frame and of its N occlusions at ``corners``.
    """
    margins = margin(logits, winner, card.output)
    drops = margins[0] - margins[1:]
    (height, width), heat = patch_size(card.input), np.zeros((card.input.height, card.input.width))
    cover = np.zeros_like(heat)
    for (top, left), drop in zip(corners, drops, strict=True):
        heat[top : top + height, left : left + width] += max(0.0, drop)
        cover[top : top + height, left : left + width] += 1
    heat /= np.maximum(cover, 1)
    largest = float(heat.max())
    strength = PHOTO_HEAT if card.input.geometry.subject == "photo" else 1.0
    picture = Image.fromarray(colours(frame, heat * (strength / largest) if largest > 0 else heat))
    before, after = (percent(float(probabilities_of(logits[index], card)[winner])) for index in (0, 1 + int(drops.argmax())))
    change = (
        f"leaves {card.labels[winner]!r} at {after}"
        if before == after
        else f"takes {card.labels[winner]!r} from {before} to {after}"
    )
    part = "ink" if card.input.geometry.subject == "ink" else "part"
    return picture, f"Covering the {part} that mattered most {change}."


def percent(probability: float) -> str:
    """A probability to a tenth of a percent, never as 0% or 100%."""
    if 0.001 <= probability <= 0.999:
        return f"{probability:.1%}"
    return "more than 99.9%" if probability > 0.5 else "less than 0.1%"


def margin(logits: Tensor, winner: int, output: OutputSpec = LOGITS) -> npt.NDArray[np.float64]:
    """The winner's logit minus the best other one, float64[N] of logits float32[N,K]; alone where each label is for itself."""
    own = logits[:, winner].astype(np.float64)
    if output.multi_label:
        return np.asarray(own)
    others = np.delete(logits.astype(np.float64), winner, axis=1)
    return np.asarray(own - others.max(axis=1))


def covered_corners(frame: Image.Image, card: ModelCard) -> list[tuple[int, int]]:
    """Top-left corners of the patches that are covered: those with ink, and all of a photo."""
    background, pixels = _background(frame, card), np.asarray(frame)
    height, width = patch_size(card.input)
    photo = card.input.geometry.subject == "photo"
    steps = LARGE_FRAME_STEPS if photo and card.input.height * card.input.width > LARGE_FRAME else STEPS
    downward, across = (
        np.linspace(0, side - patch, min(steps, side - patch) + 1).round().astype(int).tolist()
        for side, patch in ((card.input.height, height), (card.input.width, width))
    )
    corners = [(y, x) for y in downward for x in across]
    if photo:
        return corners
    return [(y, x) for y, x in corners if (pixels[y : y + height, x : x + width] != background).any()]


def occlusions(frame: Image.Image, card: ModelCard, corners: Iterable[tuple[int, int]]) -> Iterator[Tensor]:
    """Inputs of the model with the patch at each corner covered: by the background, or in a photo by its mean colour."""
    background, pixels = _background(frame, card), np.asarray(frame)
    height, width = patch_size(card.input)
    for top, left in corners:
        copy = pixels.copy()
        copy[top : top + height, left : left + width] = background
        yield tensor(Image.fromarray(copy), card.input)


def _background(frame: Image.Image, card: ModelCard) -> npt.NDArray[np.uint8]:
    """The level, or the levels of the channels, that cover a part of the frame."""
    if card.input.geometry.subject == "photo":
        mean = np.asarray(frame, dtype=np.float64).mean(axis=(0, 1))
    else:
        mean = np.asarray(0 if card.input.geometry.polarity == "light_on_dark" else 255)
    return np.asarray(np.rint(mean), dtype=np.uint8)


def patch_size(spec: InputSpec) -> tuple[int, int]:
    """Height and width in pixels of the occluding patch."""
    height, width = (max(2, round(side * PATCH_RATIO)) for side in (spec.height, spec.width))
    return height, width


def colours(frame: Image.Image, heat: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """The frame in grey under the heat (0..1) in orange: uint8[H,W,3]."""
    ink = np.asarray(frame.convert("L"), dtype=np.float64)[..., None] / 255
    glow = heat[..., None]
    return np.asarray((ink * 0.45 * (1 - glow) + glow * np.array([1.0, 0.55, 0.1])) * 255, dtype=np.uint8)

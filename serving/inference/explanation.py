"""Why the model said so: the stages of preprocessing, the logits, and which ink mattered."""

import base64
import io
from typing import Final

import anyio.to_thread
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.card import ModelCard
from preprocessing import Stage, Tensor, tensor
from serving.inference.cascade import Model
from serving.inference.postprocessing import probabilities, table
from serving.inference.request import InferenceRequest
from serving.schemas import Classification, Explanation, HeatMap, StagePicture

PATCH_SHARE: Final = 5 / 28  # of the frame's side, about a fifth of a digit
PLACES: Final = 12  # steps of the patch along a side, which bounds the pictures a map takes whatever the frame
LARGEST_SIDE: Final = 280  # pixels of a stage's picture


async def explain(model: Model, upload: InferenceRequest) -> Explanation:
    """Answer one upload, with the stages of preprocessing, the logits and an occlusion map; of a cascade those of the model
    that gave the label, or of the first where the label is a category itself.

    Raises:
        Problem, ClientDisconnect: as ``Classifier.classify``.
    """
    origin = await model.origin(upload)
    classifier, card = origin.classifier, origin.classifier.card
    steps = await classifier.preparation.stages(upload.images[0], classifier.cancellation(upload))
    corners, covered = await anyio.to_thread.run_sync(occlusions, steps[-1].image, card)
    scores = np.stack([origin.logits, *await classifier.logits(covered, upload)])
    winner = card.labels.index(origin.label)
    return await anyio.to_thread.run_sync(assemble, origin.answer, card, steps, corners, scores, winner)


def assemble(
    answer: Classification, card: ModelCard, steps: list[Stage], corners: list[tuple[int, int]], scores: Tensor, winner: int
) -> Explanation:
    """The explanation, given the logits float32[1+N,K] of the picture and of its N occlusions, and the label that won."""
    return Explanation(
        **answer.model_dump(),
        stages=[stage_picture(stage) for stage in steps],
        logits=table(scores[0], card.labels),
        heatmap=heat_map(steps[-1].image, card, corners, scores, winner),
    )


def stage_picture(stage: Stage) -> StagePicture:
    """A stage as PNG with its statistics (grey levels 0..255), shrunk where it is larger than a screen needs."""
    pixels = np.asarray(stage.image)
    shown = stage.image
    if max(shown.size) > LARGEST_SIDE:
        shown = shown.copy()
        shown.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return StagePicture(
        name=stage.name,
        png=png_base64(shown),
        min=float(pixels.min()),
        mean=round(float(pixels.mean()), 2),
        max=float(pixels.max()),
        note=stage.note,
    )


def heat_map(frame: Image.Image, card: ModelCard, corners: list[tuple[int, int]], scores: Tensor, winner: int) -> HeatMap:
    """Occlusion sensitivity (Zeiler & Fergus, ECCV 2014): paper slides over the frame, and where the winner's lead over the
    other classes shrinks the ink mattered. The lead is that of the logits, which a sure answer does not flatten.

    ``scores`` float32[1+N,K] are the logits of the frame and of its N occlusions at ``corners``.
    """
    leads = lead(scores, winner)
    drops = leads[0] - leads[1:]
    patch, heat = patch_side(card.input.size), np.zeros((card.input.size, card.input.size))
    cover = np.zeros_like(heat)
    for (top, left), drop in zip(corners, drops, strict=True):
        heat[top : top + patch, left : left + patch] += max(0.0, drop)
        cover[top : top + patch, left : left + patch] += 1
    heat /= np.maximum(cover, 1)
    largest = float(heat.max())
    picture = Image.fromarray(colours(frame, heat / largest if largest > 0 else heat))
    before, after = (
        percent(float(probabilities(scores[place], card.calibration)[winner])) for place in (0, 1 + int(drops.argmax()))
    )
    change = (
        f"leaves {card.labels[winner]!r} at {after}"
        if before == after
        else f"takes {card.labels[winner]!r} from {before} to {after}"
    )
    return HeatMap(png=png_base64(picture), note=f"Covering the ink that mattered most {change}.")


def percent(share: float) -> str:
    """A probability to a tenth of a percent; nothing is told as certain or impossible."""
    if 0.001 <= share <= 0.999:
        return f"{share:.1%}"
    return "more than 99.9%" if share > 0.5 else "less than 0.1%"


def lead(scores: Tensor, winner: int) -> npt.NDArray[np.float64]:
    """How far the winner's logit lies above the best other one, ``float64[N]`` of logits float32[N,K]."""
    others = np.delete(scores.astype(np.float64), winner, axis=1)
    return np.asarray(scores[:, winner] - others.max(axis=1))


def occlusions(frame: Image.Image, card: ModelCard) -> tuple[list[tuple[int, int]], list[Tensor]]:
    """Top-left corners of the patches that hold ink, and the frames with each of them covered, float32[C,H,W]."""
    paper = 0 if card.input.geometry.polarity == "light_on_dark" else 255
    pixels = np.asarray(frame)
    patch = patch_side(card.input.size)
    places = range(0, card.input.size - patch + 1, -(-(card.input.size - patch) // PLACES))
    corners = [(y, x) for y in places for x in places if (pixels[y : y + patch, x : x + patch] != paper).any()]
    covered = []
    for top, left in corners:
        copy = pixels.copy()
        copy[top : top + patch, left : left + patch] = paper
        covered.append(tensor(Image.fromarray(copy), card.input))
    return corners, covered


def patch_side(size: int) -> int:
    """Side in pixels of the square that covers what is drawn in a frame of ``size`` pixels."""
    return max(2, round(size * PATCH_SHARE))


def colours(frame: Image.Image, heat: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Ink in grey under the heat (0..1) in orange: uint8[H,W,3]."""
    ink = np.asarray(frame, dtype=np.float64)[..., None] / 255
    glow = heat[..., None]
    return np.asarray((ink * 0.45 * (1 - glow) + glow * np.array([1.0, 0.55, 0.1])) * 255, dtype=np.uint8)


def png_base64(image: Image.Image) -> str:
    """A picture as base64 PNG text."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")

"""Predictions and errors as HTTP responses: the JSON of the API, and problem documents."""

import base64
import io
import logging
from operator import itemgetter
from time import perf_counter
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.card import Card
from preprocessing import Stage
from serving.errors import CLIENT_CLOSED_REQUEST, Problem
from serving.http.schemas import CharacterReading, Classification, Explanation, HeatMap, LabelScore, StagePicture, Timings
from serving.inference.explanation import MAX_PICTURE_SIDE, ExplainedPrediction
from serving.inference.postprocessing import Probabilities
from serving.inference.sequence_prediction import AnyPrediction, CharacterPrediction, SequencePrediction
from serving.inference.sequence_preprocessor import SegmentedImage
from serving.process import metrics

logger = logging.getLogger("bentoml.serving")

DECIMALS: Final = 6  # of a probability
# Up to so many labels Python sorts sooner than NumPy, for which each call takes a microsecond or more.
FEW_LABELS: Final = 64
_PROBABILITY: Final = itemgetter(0)


def classification(card: Card, prediction: AnyPrediction, top_k: int, started: float) -> Classification:
    """The answer for one image of a request that began at ``started`` (``perf_counter``)."""
    output, image = prediction.output, prediction.image
    top = ranking(card, prediction, top_k)
    category, characters = None, None
    if isinstance(prediction, SequencePrediction):
        characters = [character_reading(card.labels, one, prediction.image, top_k) for one in prediction.characters]
        probabilities = {score.label: score.confidence for score in top}
    else:
        category = None if prediction.category is None else _label_score(*prediction.category)
        probabilities = by_label(prediction.probabilities, card.labels)
    return Classification(
        model=card.name,
        version=card.version,
        label=top[0].label,
        confidence=top[0].confidence,
        top=top,
        probabilities=probabilities,
        rejected=prediction.reject_reason is not None,
        reject_reason=prediction.reject_reason,
        category=category,
        characters=characters,
        provider=output.provider,
        batch_size=output.batch_size,
        timings_ms=Timings(
            decode=_milliseconds(image.decode_seconds),
            preprocess=_milliseconds(image.preprocess_seconds),
            queue=_milliseconds(prediction.queue_seconds),
            inference=_milliseconds(prediction.inference_seconds),
            total=_milliseconds(perf_counter() - started),
        ),
    )


def character_reading(labels: list[str], character: CharacterPrediction, image: SegmentedImage, top_k: int) -> CharacterReading:
    """One character of an image, whose labels are ``labels``."""
    top = likeliest(character.probabilities, labels, top_k)
    return CharacterReading(
        label=top[0].label,
        confidence=top[0].confidence,
        top=top,
        box=image.box(character.candidate),
        line=character.candidate.line,
        rejected=character.rejected,
    )


def explanation(card: Card, explained: ExplainedPrediction, top_k: int, started: float) -> Explanation:
    """The answer of ``/explain``; encodes pictures, which takes milliseconds."""
    return Explanation(
        **classification(card, explained.prediction, top_k, started).model_dump(),
        stages=[stage_picture(stage, explained.max_side) for stage in explained.stages],
        logits=by_label(explained.logits, explained.labels),
        heatmap=None if explained.heat_map is None else HeatMap(png=_png_base64(explained.heat_map), note=explained.note),
    )


def stage_picture(stage: Stage, max_side: int = MAX_PICTURE_SIDE) -> StagePicture:
    """A preprocessing stage as PNG, at most ``max_side`` pixels a side, with the statistics of its levels 0..255, of all
    colours together and without the alpha."""
    pixels = np.asarray(stage.image)
    if stage.image.mode == "RGBA":
        pixels = pixels[..., :3]
    shown = stage.image
    if max(shown.size) > max_side:
        shown = shown.copy()
        shown.thumbnail((max_side, max_side))
    return StagePicture(
        name=stage.name,
        png=_png_base64(shown),
        min=float(pixels.min()),
        mean=round(float(pixels.mean()), 2),
        max=float(pixels.max()),
        note=stage.note,
    )


def ranking(card: Card, prediction: AnyPrediction, top_k: int) -> list[LabelScore]:
    """The ``top_k`` likeliest labels of an image, or texts of a sequence, the likeliest first."""
    if isinstance(prediction, SequencePrediction):
        return [_label_score(*text) for text in prediction.texts(top_k)]
    return likeliest(prediction.probabilities, card.labels, top_k)


def likeliest(probabilities: Probabilities, labels: list[str], top_k: int) -> list[LabelScore]:
    """The ``top_k`` most probable labels, the most probable first."""
    if len(labels) > FEW_LABELS:
        order = np.argsort(-probabilities, kind="stable")[:top_k].tolist()
        return [_label_score(labels[i], float(probabilities[i])) for i in order]
    pairs = sorted(zip(probabilities.tolist(), labels, strict=True), key=_PROBABILITY, reverse=True)
    return [_label_score(label, probability) for probability, label in pairs[:top_k]]


def by_label(values: npt.NDArray[np.floating], labels: list[str]) -> dict[str, float]:
    """Rounded values by label, in the order of the card."""
    return {label: round(value, DECIMALS) for label, value in zip(labels, values.tolist(), strict=True)}


class EncodedJsonResponse(Response):
    """A response of JSON that is encoded already, without Starlette's conversion of its two headers from text."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


def json_response(answer: BaseModel, status: int = 200) -> Response:
    """An answer as JSON."""
    return EncodedJsonResponse(answer.model_dump_json().encode(), status)


def error_response(error: Exception, request: Request) -> Response:
    """The problem document for an error, which is counted; an unexpected one is logged and answered 500."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    if not isinstance(error, Problem):
        logger.error("%s failed", request.url.path, exc_info=error)
        error = Problem("internal", "The service failed; its log says why.")
    metrics.errors.labels(error.code).inc()
    return error.response()


def _label_score(label: str, probability: float) -> LabelScore:
    return LabelScore(label=label, confidence=round(probability, DECIMALS))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _png_base64(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")

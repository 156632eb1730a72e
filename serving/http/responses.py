"""Predictions and errors as HTTP responses: the JSON of the API, and problem documents."""

import base64
import io
import logging
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
from serving.http.schemas import Classification, Explanation, HeatMap, LabelScore, StagePicture, Timings
from serving.inference.explanation import ExplainedPrediction
from serving.inference.postprocessing import Probabilities
from serving.inference.prediction import Prediction
from serving.process import metrics

logger = logging.getLogger("bentoml.serving")

DECIMALS: Final = 6  # of a probability
MAX_PICTURE_SIDE: Final = 280  # pixels of the picture of a stage


def classification(card: Card, prediction: Prediction, top_k: int, started: float) -> Classification:
    """The answer for one image of a request that began at ``started`` (``perf_counter``)."""
    output, image = prediction.output, prediction.image
    top = ranking(prediction.probabilities, card.labels, top_k)
    return Classification(
        model=card.name,
        version=card.version,
        label=top[0].label,
        confidence=top[0].confidence,
        top=top,
        probabilities=by_label(prediction.probabilities, card.labels),
        rejected=prediction.reject_reason is not None,
        reject_reason=prediction.reject_reason,
        category=None if prediction.category is None else _label_score(*prediction.category),
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


def explanation(card: Card, explained: ExplainedPrediction, top_k: int, started: float) -> Explanation:
    """The answer of ``/explain``; encodes pictures, which takes milliseconds."""
    return Explanation(
        **classification(card, explained.prediction, top_k, started).model_dump(),
        stages=[stage_picture(stage) for stage in explained.stages],
        logits=by_label(explained.logits, explained.labels),
        heatmap=HeatMap(png=_png_base64(explained.heat_map), note=explained.note),
    )


def stage_picture(stage: Stage) -> StagePicture:
    """A preprocessing stage as PNG, with the statistics of its levels 0..255, of all colours together and without the alpha;
    large pictures are shrunk."""
    pixels = np.asarray(stage.image)
    if stage.image.mode == "RGBA":
        pixels = pixels[..., :3]
    shown = stage.image
    if max(shown.size) > MAX_PICTURE_SIDE:
        shown = shown.copy()
        shown.thumbnail((MAX_PICTURE_SIDE, MAX_PICTURE_SIDE))
    return StagePicture(
        name=stage.name,
        png=_png_base64(shown),
        min=float(pixels.min()),
        mean=round(float(pixels.mean()), 2),
        max=float(pixels.max()),
        note=stage.note,
    )


def ranking(probabilities: Probabilities, labels: list[str], top_k: int) -> list[LabelScore]:
    """The ``top_k`` most probable labels, the most probable first."""
    order = np.argsort(-probabilities, kind="stable")[:top_k].tolist()
    return [_label_score(labels[i], float(probabilities[i])) for i in order]


def by_label(values: npt.NDArray[np.floating], labels: list[str]) -> dict[str, float]:
    """Rounded values by label, in the order of the card."""
    return {label: round(value, DECIMALS) for label, value in zip(labels, values.tolist(), strict=True)}


def json_response(answer: BaseModel, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(answer.model_dump_json(), status, media_type="application/json")


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

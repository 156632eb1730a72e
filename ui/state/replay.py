"""The model's answers to a drawing while it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ui.api.client import ServiceError
from ui.api.schemas import Classification
from ui.images.polyline import SQUARE_SHEET, Polyline, Size, render_steps
from ui.state.files import BatchClassifier

STEPS: Final = 24


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """The picture of the first part of a drawing, `share` of its length, and the model's answer to it.

    `label` is None where the model found nothing to read; `confidence` is that of the label of the whole drawing.
    """

    share: float
    picture: bytes
    label: str | None
    confidence: float
    rejected: bool


def replay(
    classifier: BatchClassifier,
    strokes: Sequence[Polyline],
    background: str,
    final_label: str,
    size: Size = SQUARE_SHEET,
) -> list[ReplayStep]:
    """Classify the drawing on a sheet of this size at `STEPS` moments, in as few requests as possible.

    Raises:
        ServiceUnavailable, ServiceError: the service did not answer.
    """
    pictures = list(render_steps(strokes, background, STEPS, size))
    outcomes: list[Classification | ServiceError] = []
    while len(outcomes) < STEPS:
        outcomes += classifier.classify(pictures[len(outcomes) : len(outcomes) + classifier.limits.max_images])
    steps = []
    for number, (picture, outcome) in enumerate(zip(pictures, outcomes, strict=True), start=1):
        share = number / STEPS
        if isinstance(outcome, Classification):
            confidence = outcome.probabilities.get(final_label, 0.0)
            steps.append(ReplayStep(share, picture, outcome.label, confidence, outcome.rejected))
        elif outcome.retryable:
            raise outcome
        else:
            steps.append(ReplayStep(share, picture, None, 0.0, True))
    return steps

"""What models said of an image, as the answer of the contract."""

from dataclasses import dataclass
from time import perf_counter

from models.card import Card, ModelCard
from serving.inference.batcher import Scored
from serving.inference.image_preprocessor import Prepared
from serving.inference.postprocessing import Probabilities, probabilities, ranking, reject_reason, several_reason, table
from serving.schemas import Classification, Share, Timings


@dataclass(frozen=True, slots=True)
class Reading:
    """A prepared image and what the model said of it."""

    prepared: Prepared
    scored: Scored


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is made of the logits: calibrated probabilities float64[K] of the card's labels, and why the image is rejected."""

    shares: Probabilities
    reject_reason: str | None
    category: Share | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds that an image waited for its calls, and that they took."""

    queue: float
    inference: float


def answer(card: ModelCard, reading: Reading, top_k: int, started: float) -> Classification:
    """The answer of a classifier for one image of a request that began at ``started`` (``perf_counter``)."""
    scored = reading.scored
    shares = probabilities(scored.logits, card.calibration)
    several = several_reason(card, reading.prepared.characters[0])
    verdict = Verdict(shares, several or reject_reason(scored.logits, shares, card.rejection))
    return compose(card, verdict, reading, Waited(scored.queue, scored.call.seconds), top_k, started)


def compose(card: Card, verdict: Verdict, reading: Reading, waited: Waited, top_k: int, started: float) -> Classification:
    """The answer of a classifier or a cascade; ``reading`` is that of its first model."""
    prepared, call = reading.prepared, reading.scored.call
    top = ranking(verdict.shares, card.labels, top_k)
    return Classification(
        model=card.name,
        version=card.version,
        label=top[0].label,
        confidence=top[0].confidence,
        top=top,
        probabilities=table(verdict.shares, card.labels),
        rejected=verdict.reject_reason is not None,
        reject_reason=verdict.reject_reason,
        category=verdict.category,
        provider=call.provider,
        batch_size=call.batch_size,
        timings_ms=Timings(
            decode=_milliseconds(prepared.decode),
            preprocess=_milliseconds(prepared.preprocess),
            queue=_milliseconds(waited.queue),
            inference=_milliseconds(waited.inference),
            total=_milliseconds(perf_counter() - started),
        ),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)

"""What a model said of an image, as the answer of the contract."""

from dataclasses import dataclass
from time import perf_counter

from models.card import ModelCard
from serving.batching import Scored
from serving.preparation import Prepared
from serving.schemas import Classification, Timings
from serving.scoring import probabilities, ranking, reject_reason, table


@dataclass(frozen=True, slots=True)
class Reading:
    """A prepared image and what the model said of it."""

    prepared: Prepared
    scored: Scored


def answer(card: ModelCard, reading: Reading, top_k: int, started: float) -> Classification:
    """The answer for one image of a request that began at ``started`` (``perf_counter``)."""
    prepared, scored = reading.prepared, reading.scored
    shares = probabilities(scored.logits, card.calibration)
    top = ranking(shares, card.labels, top_k)
    reason = reject_reason(scored.logits, shares, card.rejection)
    return Classification(
        model=card.name,
        version=card.version,
        label=top[0].label,
        confidence=top[0].confidence,
        top=top,
        probabilities=table(shares, card.labels),
        rejected=reason is not None,
        reject_reason=reason,
        category=None,
        provider=scored.call.provider,
        batch_size=scored.call.batch_size,
        timings_ms=Timings(
            decode=_milliseconds(prepared.decode),
            preprocess=_milliseconds(prepared.preprocess),
            queue=_milliseconds(scored.queue),
            inference=_milliseconds(scored.call.seconds),
            total=_milliseconds(perf_counter() - started),
        ),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)

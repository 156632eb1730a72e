"""A cascade over stand-in models, and what is asked of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np
from opentelemetry.trace import SpanKind

from models.card_fields import Rejection
from preprocessing import Tensor
from serving.errors import Problem
from serving.http.responses import classification
from serving.http.schemas import Classification
from serving.inference.cancellation import CancellationToken
from serving.inference.cascade import Cascade
from serving.inference.classifier import Classifier
from serving.inference.local_runner import ModelOutput
from serving.inference.sequence import Model
from serving.settings import Settings
from tests.models.catalogues import add_cascade, add_model
from tests.support.pictures import digit, encoded

T = TypeVar("T")
WAIT_SECONDS = 10.0
SEVEN = encoded(digit("7"))

CATEGORIES = ["digit", "letter", "drawing"]
THEN = {"digit": "digits:1.0.0", "letter": "letters:1.0.0"}
DIGITS, LETTERS = ["0", "1"], ["O", "I", "L"]
LABELS = [*DIGITS, *LETTERS, "drawing"]


class StandIn:
    """Says the ``logits`` it was given, an image after the other and the last of them for ever, and notes its batches."""

    device = "cpu"
    provider = "CPUExecutionProvider"
    span_kind = SpanKind.INTERNAL

    def __init__(self, logits: Iterable[Iterable[float]], seconds: float = 0.0) -> None:
        self.logits = [np.asarray(row, dtype=np.float32) for row in logits]
        self.seconds = seconds
        self.sizes: list[int] = []
        self.fails = False
        self.busy = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def run(self, batch: Tensor) -> list[ModelOutput]:
        self.sizes.append(len(batch))
        self.busy.set()
        await self.free.wait()
        if self.fails:
            raise RuntimeError("broken")
        rows = [self.logits.pop(0) if len(self.logits) > 1 else self.logits[0] for _ in batch]
        return [ModelOutput(row, len(batch), self.provider, self.seconds) for row in rows]

    def close(self) -> None:
        """Nothing is held."""


class Stage:
    """A cascade of three stand-ins."""

    def __init__(
        self,
        folder: Path,
        category: StandIn,
        digits: StandIn,
        letters: StandIn,
        *,
        rejections: dict[str, Rejection] | None = None,
        letter_queue: int = 64,
        categories: list[str] = CATEGORIES,
    ) -> None:
        self.category, self.digits, self.letters = category, digits, letters
        self.models: dict[str, Classifier] = {}
        for name, known, runner, queue in (
            ("category", categories, category, 64),
            ("digits", DIGITS, digits, 64),
            ("letters", LETTERS, letters, letter_queue),
        ):
            made = add_model(folder, name, known)
            card = made.model_copy(update={"rejection": (rejections or {}).get(name, made.rejection)})
            self.models[card.tag] = Classifier(card, {"cpu": runner}, {"gpu": "None here."}, Settings(max_queue=queue))
        labels = [*DIGITS, *LETTERS, *(one for one in categories if one not in THEN)]
        characters = add_cascade(folder, "characters", "category:1.0.0", THEN, labels)
        self.cascade = Cascade(characters, self.models, Settings())

    @property
    def sizes(self) -> list[list[int]]:
        """The batches of every model."""
        return [self.category.sizes, self.digits.sizes, self.letters.sizes]


def logits(*shares: float) -> list[float]:
    """Logits whose softmax is ``shares``."""
    return [float(np.log(share)) for share in shares]


async def classify_all(model: Model, images: Sequence[bytes], device: str = "auto") -> list[Classification | Problem]:
    """The answers of a model for images, as the API gives them."""
    started = perf_counter()
    token = CancellationToken(started + Settings().deadline_seconds)
    return [
        prediction if isinstance(prediction, Problem) else classification(model.card, prediction, 10, started)
        for prediction in await model.predict(images, device, token)
    ]


async def classify(model: Model, image: bytes = SEVEN, device: str = "auto") -> Classification:
    """The answer of a model for one image; a problem is raised."""
    (answer,) = await classify_all(model, [image], device)
    if isinstance(answer, Problem):
        raise answer
    return answer


def run(main: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(main(), WAIT_SECONDS)

    return asyncio.run(bounded())


def labels(entries: list[Classification | Problem]) -> list[str]:
    return [one.code if isinstance(one, Problem) else one.label for one in entries]

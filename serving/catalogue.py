"""All models in service, by name: loaded from the model store, asked by the routes."""

from pathlib import Path
from typing import Any

import anyio.to_thread

from models.store import load_folder
from serving.classifier import Classifier
from serving.errors import Problem
from serving.explanation import explain
from serving.schemas import Classification, Explanation, Options
from serving.settings import Settings
from serving.upload import Upload


class Catalogue:
    """The classifiers of one worker."""

    def __init__(self, folders: list[Path], settings: Settings) -> None:
        self.classifiers: dict[str, Classifier] = {}
        for folder in folders:
            card = load_folder(folder)
            self.classifiers[card.name] = Classifier(folder, card, settings)

    def classifier(self, name: str) -> Classifier:
        """The model called ``name``.

        Raises:
            Problem: ``unknown_model``, listing those there are.
        """
        if name not in self.classifiers:
            raise Problem("unknown_model", f"There is no model {name!r}. There are: {', '.join(self.classifiers)}.")
        return self.classifiers[name]

    async def classify(self, upload: Upload, started: float) -> Classification:
        """Answer one upload with the model it asks for."""
        return await self.classifier(upload.options.model).classify(upload, started)

    async def explain(self, upload: Upload, started: float) -> Explanation:
        """Answer one upload and say how the answer came about."""
        classifier = self.classifier(upload.options.model)
        reading = await classifier.read(upload)
        answer = classifier.answer(upload, reading, started)
        return await anyio.to_thread.run_sync(explain, answer, reading, classifier.card)

    def describe(self) -> dict[str, Any]:
        """The catalogue as ``GET /models`` shows it."""
        defaults = Options()
        return {
            "default": defaults.model,
            "defaults": defaults.model_dump(),
            "models": [classifier.describe() for classifier in self.classifiers.values()],
        }

    async def close(self) -> None:
        """Answer what is queued everywhere and take no more."""
        for classifier in self.classifiers.values():
            await classifier.close()

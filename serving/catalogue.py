"""All models in service, by name: asked by the routes."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from models.card import MODEL_FILE, ModelCard
from models.store import load_folder
from serving import metrics
from serving.classifier import Classifier
from serving.devices import DEVICES
from serving.errors import Problem
from serving.remote import Remote, RemoteRunner, describe
from serving.runner import open_runners
from serving.schemas import Options
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")


class Catalogue:
    """The classifiers of one API worker."""

    def __init__(self, classifiers: Iterable[Classifier]) -> None:
        self._classifiers = {classifier.card.name: classifier for classifier in classifiers}
        for classifier in self._classifiers.values():
            classifier.warm_up()
        metrics.forget_dead_workers()
        gc.collect()
        gc.freeze()  # what was made until now stays: no later collection, and no request, pays for looking at it again

    async def ready(self) -> bool:
        """Whether every model can be asked."""
        return True

    def classifier(self, name: str) -> Classifier:
        """The model called ``name``.

        Raises:
            Problem: ``unknown_model``, listing those there are.
        """
        if name not in self._classifiers:
            raise Problem("unknown_model", f"There is no model {name!r}. There are: {', '.join(self._classifiers)}.")
        return self._classifiers[name]

    def describe(self) -> dict[str, Any]:
        """The catalogue as ``GET /models`` shows it."""
        defaults = Options()
        return {
            "default": defaults.model,
            "defaults": defaults.model_dump(),
            "models": [classifier.describe() for classifier in self._classifiers.values()],
        }

    async def close(self) -> None:
        """Answer what is queued everywhere and take no more."""
        await asyncio.gather(*(classifier.close() for classifier in self._classifiers.values()))


class EmbeddedCatalogue(Catalogue):
    """Sessions in this process; ``folders`` are those of the models in the store."""

    def __init__(self, folders: Iterable[Path], settings: Settings) -> None:
        super().__init__(self._classifier(folder, settings) for folder in folders)

    @staticmethod
    def _classifier(folder: Path, settings: Settings) -> Classifier:
        card = load_folder(folder)
        runners, reasons = open_runners(folder / MODEL_FILE, card, settings, settings.workers)
        return Classifier(card, runners, reasons, settings)


class RemoteCatalogue(Catalogue):
    """Sessions in the runner service; which devices it has is known once it answered."""

    def __init__(self, cards: Mapping[str, ModelCard], remote: Callable[[], Remote], settings: Settings) -> None:
        self._remote = remote
        self._runners = [RemoteRunner(name, device, remote) for name in cards for device in DEVICES]
        self._reasons: dict[str, dict[str, str]] = {name: {} for name in cards}
        super().__init__(
            Classifier(
                card, {runner.device: runner for runner in self._runners if runner.model == name}, self._reasons[name], settings
            )
            for name, card in cards.items()
        )
        self._known = False

    async def ready(self) -> bool:
        """Whether the runner service told what it has."""
        if not self._known:
            try:
                told = await describe(self._remote)
            except Exception as error:  # aiohttp's, BentoML's and the system's: it is not there yet
                logger.info("The runner service does not answer yet: %s", error)
                return False
            for runner in self._runners:
                if reason := told[runner.model][runner.device]:
                    self._reasons[runner.model][runner.device] = reason
            self._known = True
        return True

"""All models in service, by name: asked by the routes."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.card import MODEL_FILE, Card, CascadeCard, ModelCard
from models.store import load_folder
from serving.errors import Problem
from serving.inference.cascade import Cascade, Model
from serving.inference.classifier import Classifier
from serving.inference.local_runner import open_runners
from serving.inference.remote_runner import Remote, RemoteRunner, Told, describe
from serving.inference.runner_health import RunnerHealth
from serving.inference.sessions import DEVICES
from serving.schemas import Options
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")


class Catalogue:
    """The models of one API worker: classifiers, and cascades over them."""

    def __init__(self, cards: Iterable[Card], classifier: Callable[[ModelCard], Classifier], settings: Settings) -> None:
        cards = list(cards)
        self._settings = settings
        self._classifiers: list[Classifier] = []
        try:
            self._classifiers.extend(classifier(card) for card in cards if isinstance(card, ModelCard))
            by_tag = {one.card.tag: one for one in self._classifiers}
            cascades = [Cascade(card, by_tag, settings) for card in cards if isinstance(card, CascadeCard)]
            models: list[Model] = [*self._classifiers, *cascades]
            self._models = {model.card.name: model for model in models}
            for model in self._models.values():
                model.warm_up()
        except BaseException:
            for one in self._classifiers:
                one.close_runners()
            raise
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    async def ready(self) -> bool:
        """Whether every model can be asked."""
        return True

    def model(self, name: str) -> Model:
        """The model called ``name``.

        Raises:
            Problem: ``unknown_model``, listing those there are.
        """
        if name not in self._models:
            raise Problem("unknown_model", f"There is no model {name!r}. There are: {', '.join(self._models)}.")
        return self._models[name]

    def describe(self) -> dict[str, Any]:
        """The catalogue as ``GET /models`` shows it."""
        return {
            "default": self._settings.default_model,
            "defaults": Options(model=self._settings.default_model).model_dump(),
            "limits": self._settings.announced,
            "gallery": self._settings.gallery,
            "models": [model.describe() for model in self._models.values()],
        }

    @contextmanager
    def in_use(self) -> Iterator["Catalogue"]:
        """Keep the catalogue from ending before the block does."""
        self._users += 1
        self._unused.clear()
        try:
            yield self
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def retire(self) -> None:
        """Close once nobody uses the catalogue any more; nobody may begin to."""
        await self._unused.wait()
        await self.close()

    async def close(self) -> None:
        """Answer what is queued everywhere and take no more."""
        await asyncio.gather(*(classifier.close() for classifier in self._classifiers))


class EmbeddedCatalogue(Catalogue):
    """Sessions in this process; ``folders`` are those of the models in the store."""

    def __init__(self, folders: Iterable[Path], settings: Settings) -> None:
        loaded = [(load_folder(folder), folder) for folder in folders]
        places = {card.name: folder for card, folder in loaded}

        def classifier(card: ModelCard) -> Classifier:
            runners, reasons = open_runners(places[card.name] / MODEL_FILE, card, settings, settings.workers)
            return Classifier(card, runners, reasons, settings)

        super().__init__([card for card, _ in loaded], classifier, settings)


class RemoteCatalogue(Catalogue):
    """Sessions in the runner service; which devices it has is known once it answered."""

    def __init__(self, cards: Mapping[str, Card], remote: Callable[[], Remote], settings: Settings) -> None:
        self._heartbeat = RunnerHealth(lambda: describe(remote))
        self._runners: list[RemoteRunner] = []
        self._reasons: dict[str, dict[str, str]] = {}
        self._told: Told | None = None

        def classifier(card: ModelCard) -> Classifier:
            runners = {device: RemoteRunner(card.name, device, remote, self._heartbeat) for device in DEVICES}
            self._runners += runners.values()
            self._reasons[card.name] = {}
            return Classifier(card, runners, self._reasons[card.name], settings)

        super().__init__(cards.values(), classifier, settings)

    async def ready(self) -> bool:
        """Whether the runner service is there."""
        if not await self._heartbeat.alive():
            return False
        if self._told is not self._heartbeat.told:
            self._told = self._heartbeat.told
            self._learn()
        return True

    async def close(self) -> None:
        """As for every catalogue; the runner is asked no more."""
        await super().close()
        self._heartbeat.stop()

    def _learn(self) -> None:
        """Take over what the runner service told of its devices, which may be others than before it was started again."""
        for runner in self._runners:
            reason = (self._told or {}).get(runner.model, {}).get(runner.device)
            if reason:
                self._reasons[runner.model][runner.device] = reason
            else:
                self._reasons[runner.model].pop(runner.device, None)

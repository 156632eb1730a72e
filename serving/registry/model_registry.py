"""The models in service, by name, with their sessions in this process or in the runner service."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.card import MODEL_FILE, Card, CascadeCard, ModelCard, SequenceCard
from models.store import load_card
from serving.errors import Problem
from serving.inference.cascade import Cascade
from serving.inference.classifier import Classifier
from serving.inference.local_runner import open_runners
from serving.inference.observations import export_references
from serving.inference.remote_runner import DeviceStatus, Remote, RemoteRunner, device_status
from serving.inference.runner_health import RunnerHealth
from serving.inference.sequence import Model, SequenceModel
from serving.inference.sessions import DEVICES
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")


class ModelRegistry:
    """The models that one API worker serves: classifiers, cascades of them, and sequences that either reads."""

    def __init__(self, cards: Iterable[Card], classifier: Callable[[ModelCard], Classifier], settings: Settings) -> None:
        cards = list(cards)
        self._classifiers: list[Classifier] = []
        try:
            self._classifiers.extend(classifier(card) for card in cards if isinstance(card, ModelCard))
            by_tag = {opened.card.tag: opened for opened in self._classifiers}
            cascades = [Cascade(card, by_tag, settings) for card in cards if isinstance(card, CascadeCard)]
            readers = by_tag | {cascade.card.tag: cascade for cascade in cascades}
            sequences = [SequenceModel(card, readers, settings) for card in cards if isinstance(card, SequenceCard)]
            models: list[Model] = [*self._classifiers, *cascades, *sequences]
            self._models = {model.card.name: model for model in models}
            for model in self._models.values():
                model.warm_up()
        except BaseException:
            for opened in self._classifiers:
                opened.close_runners()
            raise
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    async def is_ready(self) -> bool:
        """Whether the models can be used."""
        return True

    def model(self, name: str) -> Model:
        """The model called ``name``.

        Raises:
            Problem: ``unknown_model``, listing the models.
        """
        if name not in self._models:
            raise Problem("unknown_model", f"Unknown model {name!r}. Use one of: {', '.join(self._models)}.")
        return self._models[name]

    def enter_service(self) -> None:
        """Export the references of the models, which are in service from now on."""
        export_references(model.card for model in self._models.values())

    def describe(self) -> list[dict[str, Any]]:
        """The models as ``GET /models`` lists them."""
        return [model.describe() for model in self._models.values()]

    @contextmanager
    def in_use(self) -> Iterator["ModelRegistry"]:
        """Keep the registry open until the block ends."""
        self._users += 1
        self._unused.clear()
        try:
            yield self
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def retire(self) -> None:
        """Close once no request uses the registry any more; it must not be in service."""
        await self._unused.wait()
        await self.close()

    async def close(self) -> None:
        """Process what is queued in all models and accept no more."""
        await asyncio.gather(*(classifier.close() for classifier in self._classifiers))


class EmbeddedRegistry(ModelRegistry):
    """Sessions in this process; ``folders`` are those of the models in the model store."""

    def __init__(self, folders: Iterable[Path], settings: Settings) -> None:
        loaded = [(load_card(folder), folder) for folder in folders]
        places = {card.name: folder for card, folder in loaded}

        def classifier(card: ModelCard) -> Classifier:
            runners, reasons = open_runners(places[card.name] / MODEL_FILE, card, settings, settings.workers)
            return Classifier(card, runners, reasons, settings)

        super().__init__([card for card, _ in loaded], classifier, settings)


class RemoteRegistry(ModelRegistry):
    """Sessions in the runner service, which reports its devices once it is up."""

    def __init__(self, cards: Mapping[str, Card], remote: Callable[[], Remote], settings: Settings) -> None:
        self._health = RunnerHealth(lambda: device_status(remote))
        self._runners: list[RemoteRunner] = []
        self._reasons: dict[str, dict[str, str]] = {}
        self._status: DeviceStatus | None = None

        def classifier(card: ModelCard) -> Classifier:
            runners = {device: RemoteRunner(card.name, device, remote, self._health) for device in DEVICES}
            self._runners += runners.values()
            self._reasons[card.name] = {}
            return Classifier(card, runners, self._reasons[card.name], settings)

        super().__init__(cards.values(), classifier, settings)

    async def is_ready(self) -> bool:
        """Whether the runner service is up."""
        if not await self._health.is_up():
            return False
        if self._status is not self._health.last_response:
            self._status = self._health.last_response
            self._update_reasons()
        return True

    async def close(self) -> None:
        """Close, and end the health checks of the runner."""
        await super().close()
        self._health.stop()

    def _update_reasons(self) -> None:
        """Take over the devices that the runner service reported; they may differ after it was restarted."""
        for runner in self._runners:
            reason = (self._status or {}).get(runner.model, {}).get(runner.device)
            if reason:
                self._reasons[runner.model][runner.device] = reason
            else:
                self._reasons[runner.model].pop(runner.device, None)

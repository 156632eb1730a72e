"""Both ends of the hop between API workers and the runner service, which owns the sessions of all models."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from bentoml import api as route

from models.card import MODEL_FILE, Card, ModelCard
from models.store import load_folder
from preprocessing import Tensor
from serving.inference.local_runner import Call, LocalRunner, Outcome, open_runners, warm_up_sizes
from serving.inference.runner_health import RunnerHealth
from serving.inference.sessions import DEVICES
from serving.process.shutdown import ServerExit
from serving.settings import Settings

C = TypeVar("C", bound=type)
PROVIDERS: Final = [device.provider for device in DEVICES.values()]
Told = dict[str, dict[str, str | None]]
"""By model and device: None where it runs, or the reason why it does not."""
# A row of the answer is an image's logits, and then of the call that made them: its size, its seconds, and its provider.
CALL_COLUMNS: Final = 3
# A worker that cannot connect to the runner tries again so often, after so long.
CONNECT_TRIES: Final = 10
CONNECT_SECONDS: Final = 0.05
# Without a call for this long, nobody needs the sessions any more.
QUIET_SECONDS: Final = 1.0


class Remote(Protocol):
    """What is used of BentoML's client of a service."""

    def call(self, name: str, /, *args: Any) -> Awaitable[Any]:
        """Call an API of the service."""


class RemoteRunner:
    """A model on one device of the runner service."""

    def __init__(self, model: str, device: str, remote: Callable[[], Remote], heartbeat: RunnerHealth[Told]) -> None:
        self.model = model
        self.device = device
        self.provider = DEVICES[device].provider
        self._remote = remote
        self._heartbeat = heartbeat
        self._api = api_name(model, device)

    async def run(self, batch: Tensor) -> Outcome:
        """Logits of a batch float32[N,C,H,W]; one call over the hop, merged there with those of other workers.

        From the moment the service is told to end, nobody can connect to the runner any more: a call then waits for a
        connection that another call of this worker gives back.

        Raises:
            RunnerGone: the runner service died.
        """
        for _ in range(CONNECT_TRIES - 1):
            try:
                return await self._call(batch)
            except OSError:  # what aiohttp raises where it cannot connect is one
                await asyncio.sleep(CONNECT_SECONDS)
        return await self._call(batch)

    def close(self) -> None:
        """BentoML closes the connections."""

    async def _call(self, batch: Tensor) -> Outcome:
        return unpack(await self._heartbeat.guard(self._remote().call(self._api, batch)))


def introduced(client: Any, key: str) -> Remote:
    """BentoML's client of the runner service, which from now on shows it the key."""
    client.default_headers["Authorization"] = f"Bearer {key}"
    remote: Remote = client
    return remote


async def describe(remote: Callable[[], Remote]) -> Told:
    """What the runner service has."""
    told: Told = await remote().call("describe")
    return told


def api_name(model: str, device: str) -> str:
    """The API of the runner service that runs ``model`` on ``device``."""
    return f"{model.replace('-', '_')}_on_{device}"


def pack(outcome: Outcome) -> Tensor:
    """Logits float32[N,K] and their calls as float32[N,K+3]."""
    calls = [(call.batch_size, call.seconds, PROVIDERS.index(call.provider)) for call in outcome.calls]
    return np.concatenate([outcome.logits, np.asarray(calls, dtype=np.float32)], axis=1)


def unpack(rows: Tensor) -> Outcome:
    """What ``pack`` packed."""
    calls = [Call(int(size), seconds, PROVIDERS[int(provider)]) for size, seconds, provider in rows[:, -CALL_COLUMNS:].tolist()]
    return Outcome(rows[:, :-CALL_COLUMNS], calls)


class RunnerHost:
    """The sessions of all models in one process of the runner service."""

    def __init__(self, folders: Iterable[Path], settings: Settings) -> None:
        self._runners: dict[tuple[str, str], LocalRunner] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        self._called = 0.0
        for folder in folders:
            card = load_folder(folder)
            if not isinstance(card, ModelCard):
                continue
            runners, reasons = open_runners(folder / MODEL_FILE, card, settings, processes=1)
            image = np.zeros((card.input.channels, card.input.size, card.input.size), np.float32)
            for device in DEVICES:
                if device in runners:
                    runners[device].warm_up(image, warm_up_sizes(settings.max_batch_size))
                    self._runners[card.name, device] = runners[device]
                else:
                    self._reasons[card.name, device] = reasons[device]

    def drain_after_callers(self, server: ServerExit, since: float | None = None) -> None:
        """Exit once no call has come for ``QUIET_SECONDS``: the API workers, which are told to end at the same time, need the
        sessions until they have answered their requests. Called in the event loop on SIGTERM."""
        now = perf_counter()
        since = since or now
        quiet = now - max(since, self._called)
        if quiet < QUIET_SECONDS:
            asyncio.get_running_loop().call_later(QUIET_SECONDS - quiet, self.drain_after_callers, server, since)
        else:
            server.exit()

    async def run(self, model: str, device: str, batch: Tensor) -> Tensor:
        """Logits of a batch and their calls, packed."""
        self._called = perf_counter()
        return pack(await self._runners[model, device].run(batch))

    def describe(self) -> Told:
        """As the function ``describe``."""
        told: Told = {}
        for model, device in self._runners:
            told.setdefault(model, {})[device] = None
        for (model, device), reason in self._reasons.items():
            told.setdefault(model, {})[device] = reason
        return told

    def close(self) -> None:
        """End the threads."""
        for runner in self._runners.values():
            runner.close()


def model_routes(cards: Mapping[str, Card], settings: Settings) -> Callable[[C], C]:
    """Gives the runner service's class, which has a ``RunnerHost``, a batchable API for every classifier on every device."""

    def decorate(service: C) -> C:
        for model in (name for name, card in cards.items() if isinstance(card, ModelCard)):
            for device in DEVICES:
                setattr(service, api_name(model, device), _model_route(model, device, settings))
        return service

    return decorate


def _model_route(model: str, device: str, settings: Settings) -> Any:
    async def run(self: Any, batch: np.ndarray) -> np.ndarray:
        return np.asarray(await self.host.run(model, device, batch))

    run.__name__ = api_name(model, device)
    options = {
        "batchable": True,
        "max_batch_size": settings.max_batch_size,
        # BentoML cancels what it expects to be later than this. The deadline is kept by the batchers of the API workers.
        "max_latency_ms": int(settings.deadline_seconds * 10_000),
    }
    return route(route=f"/{model}/{device}", **options)(run)

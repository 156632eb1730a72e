"""The runner service's end: one process that owns the sessions of all models, and a batchable BentoML API for each."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeVar

import numpy as np
from bentoml import api as route
from bentoml import get_current_service
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.card import MODEL_FILE, Card, ModelCard
from models.store import load_card
from preprocessing import Tensor
from serving.inference.local_runner import LocalRunner, max_batch_size, open_runners, warm_up_sizes
from serving.inference.remote_runner import DeviceStatus, api_name, pack
from serving.inference.sessions import DEVICES
from serving.process.request_context import CURRENT, NO_REQUEST, RequestContext, joined
from serving.process.shutdown import ServerExit, closing
from serving.process.tracing import BatchSpans
from serving.settings import Settings

C = TypeVar("C", bound=type)

# After so long without a call, no API worker needs the sessions any more.
QUIET_SECONDS: Final = 1.0


class RunnerHost:
    """The sessions of all models in the process of the runner service."""

    def __init__(self, folders: Iterable[Path], settings: Settings) -> None:
        self._runners: dict[tuple[str, str], LocalRunner] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        self._called = 0.0
        self.calls = WaitingCalls()
        self.draining = False
        for folder in folders:
            card = load_card(folder)
            if not isinstance(card, ModelCard):
                continue
            runners, reasons = open_runners(folder / MODEL_FILE, card, settings, processes=1)
            image = np.zeros(card.input.shape, card.input.type)
            for device in DEVICES:
                if device in runners:
                    runners[device].warm_up(image, warm_up_sizes(max_batch_size(card, settings)))
                    self._runners[card.name, device] = runners[device]
                else:
                    self._reasons[card.name, device] = reasons[device]

    def drain_after_callers(self, server: ServerExit, since: float | None = None) -> None:
        """Exit once no call has come for ``QUIET_SECONDS``: the API workers, which get SIGTERM at the same time, need the
        sessions until they have answered their requests. Called in the event loop on SIGTERM."""
        self.draining = True
        now = perf_counter()
        since = since or now
        quiet = now - max(since, self._called)
        if quiet < QUIET_SECONDS:
            asyncio.get_running_loop().call_later(QUIET_SECONDS - quiet, self.drain_after_callers, server, since)
        else:
            server.exit()

    async def run(self, model: str, device: str, batch: Tensor) -> Tensor:
        """The packed outputs for a batch. It runs in a task of its own, whose context is that of the calls."""
        self._called = started = perf_counter()
        calls = self.calls.take(model_path(model, device))
        CURRENT.set(joined(calls) if calls else NO_REQUEST)
        spans = BatchSpans(calls, started, {"device": device}, SpanKind.INTERNAL)
        try:
            outputs = await self._runners[model, device].run(batch)
        except Exception as error:
            spans.end({}, error)
            raise
        spans.end({"batch_size": outputs[0].batch_size, "provider": outputs[0].provider})
        return pack(outputs)

    def status(self) -> DeviceStatus:
        """Which models run on which devices."""
        status: DeviceStatus = {}
        for model, device in self._runners:
            status.setdefault(model, {})[device] = None
        for (model, device), reason in self._reasons.items():
            status.setdefault(model, {})[device] = reason
        return status

    def close(self) -> None:
        """End the threads of the sessions."""
        for runner in self._runners.values():
            runner.close()


class RunnerCalls:
    """ASGI middleware of the runner service: tells the ``RunnerHost`` which calls wait for their batch; while it drains, its
    answers over TCP close their connections, so that API workers on other machines connect to the runner that replaces it.

    Over a Unix socket they could not connect again: the parent process removes it first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host: RunnerHost = get_current_service().host
        if scope["client"] is not None and host.draining:
            send = closing(send)
        call, path = CURRENT.get(), scope["path"]

        async def receive_watched() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                host.calls.add(path, call)  # BentoML parses it and queues it at once
            return message

        try:
            await self.app(scope, receive_watched, send)
        finally:
            host.calls.discard(path, call)


class WaitingCalls:
    """The calls of the runner that have arrived and are in no batch yet, by path: BentoML merges their arrays, and what runs
    the batch does not know whose they are."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[RequestContext, float]] = {}

    def add(self, path: str, call: RequestContext) -> None:
        """A call has arrived in full."""
        self._waiting.setdefault(path, {})[call] = perf_counter()

    def discard(self, path: str, call: RequestContext) -> None:
        """A call has ended, in whatever way."""
        self._waiting.get(path, {}).pop(call, None)

    def take(self, path: str) -> dict[RequestContext, float]:
        """All that wait, which is what a batch that begins now consists of, and since when (``perf_counter``). Of a call that
        BentoML splits, the second part is in none."""
        return self._waiting.pop(path, {})


def model_routes(cards: Mapping[str, Card], settings: Settings) -> Callable[[C], C]:
    """Class decorator that adds a batchable API for each classifier and device; the class has a ``RunnerHost`` as ``host``."""

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
        "max_batch_size": settings.max_batch_size,  # also where the batch is fixed, because BentoML needs more than 1
        # BentoML cancels calls that it expects to take longer. The batchers of the API workers enforce the real deadline.
        "max_latency_ms": int(settings.deadline_seconds * 10_000),
    }
    return route(route=model_path(model, device), **options)(run)


def model_path(model: str, device: str) -> str:
    """The path of the runner's API that runs ``model`` on ``device``."""
    return f"/{model}/{device}"

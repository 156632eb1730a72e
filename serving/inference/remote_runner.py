"""The API workers' end of the runner service: calls it for batches, and packs outputs into arrays for the transport."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from opentelemetry.trace import SpanKind

from preprocessing import Tensor
from serving.inference.local_runner import ModelOutput
from serving.inference.runner_health import RunnerHealth
from serving.inference.sessions import DEVICES

PROVIDERS: Final = [device.provider for device in DEVICES.values()]
DeviceStatus = dict[str, dict[str, str | None]]
"""By model and device: None where the model runs on it, else the reason why not."""
# A packed row is the logits of an image, and then the batch size, the seconds and the provider of the call.
CALL_COLUMNS: Final = 3
# How often, and after how long, a call is retried that could not connect to the runner.
CONNECT_TRIES: Final = 10
CONNECT_SECONDS: Final = 0.05


class Remote(Protocol):
    """The part of BentoML's service client that is used."""

    def call(self, name: str, /, *args: Any) -> Awaitable[Any]:
        """Call an API of the service."""


class RemoteRunner:
    """A model on one device of the runner service."""

    span_kind = SpanKind.CLIENT

    def __init__(self, model: str, device: str, remote: Callable[[], Remote], health: RunnerHealth[DeviceStatus]) -> None:
        self.model = model
        self.device = device
        self.provider = DEVICES[device].provider
        self._remote = remote
        self._health = health
        self._api = api_name(model, device)

    async def run(self, batch: Tensor) -> list[ModelOutput]:
        """The outputs for a batch of N images: one call of the runner service, which merges calls of all workers.

        While the service shuts down, no new connection to the runner is accepted: a call then waits until another call of this
        worker returns its connection.

        Raises:
            RunnerGone: the runner service went down.
        """
        for _ in range(CONNECT_TRIES - 1):
            try:
                return await self._call(batch)
            except OSError:  # what aiohttp raises where it cannot connect is one
                await asyncio.sleep(CONNECT_SECONDS)
        return await self._call(batch)

    def close(self) -> None:
        """BentoML closes the connections."""

    async def _call(self, batch: Tensor) -> list[ModelOutput]:
        return unpack(await self._health.guard(self._remote().call(self._api, batch)))


def with_auth(client: Any, key: str) -> Remote:
    """BentoML's client of the runner service, which sends ``key`` with every call from now on."""
    client.default_headers["Authorization"] = f"Bearer {key}"
    remote: Remote = client
    return remote


async def device_status(remote: Callable[[], Remote]) -> DeviceStatus:
    """Ask the runner service which models run on which devices."""
    status: DeviceStatus = await remote().call("status")
    return status


def api_name(model: str, device: str) -> str:
    """The API of the runner service that runs ``model`` on ``device``."""
    return f"{model.replace('-', '_')}_on_{device}"


def pack(outputs: Sequence[ModelOutput]) -> Tensor:
    """The outputs of N images as float32[N,K+3]."""
    calls = [(output.batch_size, output.inference_seconds, PROVIDERS.index(output.provider)) for output in outputs]
    logits = np.stack([output.logits for output in outputs])
    return np.concatenate([logits, np.asarray(calls, dtype=np.float32)], axis=1)


def unpack(rows: Tensor) -> list[ModelOutput]:
    """The outputs that ``pack`` packed."""
    calls = rows[:, -CALL_COLUMNS:].tolist()
    return [
        ModelOutput(logits, int(size), PROVIDERS[int(provider)], seconds)
        for logits, (size, seconds, provider) in zip(rows[:, :-CALL_COLUMNS], calls, strict=True)
    ]

"""Adaptive batching without a timer: a batch starts when the model is free and takes what has queued by then."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np
from prometheus_client import Gauge
from starlette.requests import ClientDisconnect

from preprocessing import Tensor
from serving.errors import Problem
from serving.inference.local_runner import Call, Runner
from serving.inference.request import DISCONNECT_CHECK_SECONDS, deadline_exceeded

logger = logging.getLogger("bentoml.serving")

TELL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model said of one image: ``logits`` float32[K], the call that said so, and the seconds until then."""

    logits: Tensor
    call: Call
    queue: float


@dataclass(slots=True)
class _Item:
    tensor: Tensor
    future: "asyncio.Future[Scored]"
    queued: float
    gone: Callable[[], Awaitable[bool]] | None


class Batcher:
    """Gathers the images of concurrent requests into calls of one model on one device.

    The runner is called by one task, never twice at a time. The queue is bounded, every image has a deadline, and images whose
    client or deadline is gone are not computed.
    """

    def __init__(self, runner: Runner, *, max_batch_size: int, max_queue: int, waiting: Gauge | None = None) -> None:
        self._runner = runner
        self._max_batch_size = max_batch_size
        self._max_queue = max_queue
        self._waiting = waiting
        self._queue: deque[_Item] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._teller: asyncio.TimerHandle | None = None

    async def submit(
        self, tensors: Sequence[Tensor], *, seconds: float, is_disconnected: Callable[[], Awaitable[bool]] | None = None
    ) -> list[Scored | Problem]:
        """Score images, each float32[C,H,W], within ``seconds``; ``is_disconnected`` tells if the client closed its connection.

        An image that the model fails on, or that is not scored in time, has a problem in its place.

        Raises:
            Problem: ``overloaded`` (the queue has no room for them all), ``deadline`` (it passed before), ``unavailable``
                (the service is draining).
            ClientDisconnect: the client went away.
        """
        if self._closed:
            raise Problem("unavailable", "The service is shutting down.")
        if seconds <= 0:
            raise deadline_exceeded()
        if len(self._queue) + len(tensors) > self._max_queue:
            raise Problem("overloaded", f"{len(self._queue)} images are waiting for this model. Try again in a moment.")
        loop, now = asyncio.get_running_loop(), perf_counter()
        items = [_Item(tensor, loop.create_future(), now, is_disconnected) for tensor in tensors]
        timer = loop.call_later(seconds, _expire, items)
        self._queue.extend(items)
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        else:
            self._tell_soon()
        try:
            return [await _result(item) for item in items]
        finally:
            timer.cancel()
            for item in items:
                item.future.cancel()  # a future that failed is silenced by this as well

    async def close(self) -> None:
        """Take no more images, answer those that wait, and let go of the runner."""
        self._closed = True
        if self._worker is not None:
            await self._worker
        self._runner.close()

    async def _work(self) -> None:
        try:
            while self._queue:
                if batch := await self._take():
                    await self._score(batch)
                await asyncio.sleep(0)  # a short call blocks the loop: answers go out and requests come in between two
        finally:
            self._worker = None

    async def _take(self) -> list[_Item]:
        batch: list[_Item] = []
        patience = perf_counter() - DISCONNECT_CHECK_SECONDS
        while self._queue and len(batch) < self._max_batch_size:
            item = self._queue.popleft()
            if (
                item.queued < patience
                and item.is_disconnected is not None
                and not item.future.done()
                and await item.is_disconnected()
            ):
                _fail(item, ClientDisconnect())
            if not item.future.done():
                batch.append(item)
        self._tell_soon()
        return batch

    async def _score(self, batch: list[_Item]) -> None:
        try:
            outcome = await self._runner.run(np.stack([item.tensor for item in batch]))
        except Exception as error:  # whatever the model raised, the images of this batch must be answered
            await self._recover(batch, error)
            return
        finished = perf_counter()
        for item, row, call in zip(batch, outcome.logits, outcome.calls, strict=True):
            if not item.future.done():
                item.future.set_result(Scored(row, call, finished - item.queued - call.seconds))

    async def _recover(self, batch: list[_Item], error: Exception) -> None:
        """Retry the images of a failed batch one by one, so that none suffers for another."""
        if len(batch) > 1:
            for item in batch:
                if not item.future.done():
                    await self._score([item])
        else:
            logger.error("The model failed: %s", error)
            _fail(batch[0], Problem("unavailable", "The model failed on this image. Try again in a moment."))

    def _tell_soon(self) -> None:
        """Keep the gauge of waiting images true to a twentieth of a second: to set it is dear beside a small image."""
        if self._waiting is not None and self._teller is None:
            self._teller = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell, self._waiting)

    def _tell(self, waiting: Gauge) -> None:
        self._teller = None
        waiting.set(len(self._queue))


async def _result(item: _Item) -> Scored | Problem:
    try:
        return await item.future
    except Problem as problem:
        return problem


def _expire(items: list[_Item]) -> None:
    for item in items:
        _fail(item, deadline_exceeded())


def _fail(item: _Item, error: Exception) -> None:
    if not item.future.done():
        item.future.set_exception(error)

"""Adaptive batching without a timer: a batch starts when the model is idle and takes what has queued by then."""

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
from serving.inference.cancellation import DISCONNECT_CHECK_SECONDS, deadline_exceeded
from serving.inference.local_runner import ModelOutput, Runner
from serving.process.request_context import CURRENT, NO_REQUEST, RequestContext, joined
from serving.process.tracing import BatchSpans

logger = logging.getLogger("bentoml.serving")

GAUGE_SECONDS: Final = 0.05


@dataclass(slots=True)
class _Item:
    tensor: Tensor
    future: "asyncio.Future[ModelOutput]"
    queued: float
    is_disconnected: Callable[[], Awaitable[bool]] | None
    request: RequestContext


class Batcher:
    """Merges the images of concurrent requests into batches for one model on one device.

    One task calls the runner, one batch at a time. The queue is bounded, each image has a deadline, and images whose deadline
    has passed or whose client disconnected are dropped. ``depth`` is the gauge of queued images.
    """

    def __init__(self, runner: Runner, *, max_batch_size: int, max_queue: int, depth: Gauge | None = None) -> None:
        self._runner = runner
        self._max_batch_size = max_batch_size
        self._max_queue = max_queue
        self._depth = depth
        self._queue: deque[_Item] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._gauge_timer: asyncio.TimerHandle | None = None

    async def submit(
        self, tensors: Sequence[Tensor], *, seconds: float, is_disconnected: Callable[[], Awaitable[bool]] | None = None
    ) -> list[ModelOutput | Problem]:
        """The outputs of inputs of the model, within ``seconds``; ``is_disconnected`` tells if the client is gone.

        An image that the model fails on, or that is not computed in time, has a problem in its place.

        Raises:
            Problem: ``overloaded`` (the queue is too full for all of them), ``deadline`` (it has passed), ``unavailable``
                (the service is draining).
            ClientDisconnect: the client closed its connection.
        """
        if self._closed:
            raise Problem("unavailable", "The service is shutting down.")
        if seconds <= 0:
            raise deadline_exceeded()
        if len(self._queue) + len(tensors) > self._max_queue:
            raise Problem("overloaded", f"{len(self._queue)} images are queued for this model. Try again in a moment.")
        loop, now, request = asyncio.get_running_loop(), perf_counter(), CURRENT.get()
        items = [_Item(tensor, loop.create_future(), now, is_disconnected, request) for tensor in tensors]
        timer = loop.call_later(seconds, _expire, items)
        self._queue.extend(items)
        if self._worker is None:
            self._worker = loop.create_task(self._run())
        else:
            self._update_gauge_soon()
        try:
            return [await _result(item) for item in items]
        finally:
            timer.cancel()
            for item in items:
                item.future.cancel()  # also marks the exception of a failed future as retrieved

    async def close(self) -> None:
        """Accept no more images, process those that are queued, and close the runner."""
        self._closed = True
        if self._worker is not None:
            await self._worker
        self._runner.close()

    async def _run(self) -> None:
        CURRENT.set(NO_REQUEST)  # the task began with the request that came first; each batch sets its own
        try:
            while self._queue:
                if batch := await self._next_batch():
                    await self._run_batch(batch)
                await asyncio.sleep(0)  # a short call blocks the loop: let it send responses and accept requests between two
        finally:
            self._worker = None

    async def _next_batch(self) -> list[_Item]:
        batch: list[_Item] = []
        check_before = perf_counter() - DISCONNECT_CHECK_SECONDS
        while self._queue and len(batch) < self._max_batch_size:
            item = self._queue.popleft()
            if (
                item.queued < check_before
                and item.is_disconnected is not None
                and not item.future.done()
                and await item.is_disconnected()
            ):
                _fail(item, ClientDisconnect())
            if not item.future.done():
                batch.append(item)
        self._update_gauge_soon()
        return batch

    async def _run_batch(self, batch: list[_Item]) -> None:
        request = joined(item.request for item in batch)
        spans = self._spans(batch)
        if spans is not None:
            request = RequestContext(request.request_id, spans.first)
        token = CURRENT.set(request)
        try:
            outputs = await self._runner.run(np.stack([item.tensor for item in batch]))
        except Exception as error:  # whatever the model raised, each image must get an answer
            if spans is not None:
                spans.end({}, error)
            await self._recover(batch, error)
            return
        finally:
            CURRENT.reset(token)
        finished = perf_counter()
        if spans is not None:
            spans.end({"batch_size": outputs[0].batch_size, "provider": outputs[0].provider})
        for item, output in zip(batch, outputs, strict=True):
            if not item.future.done():
                output.queue_seconds = finished - item.queued - output.inference_seconds
                item.future.set_result(output)

    def _spans(self, batch: list[_Item]) -> BatchSpans | None:
        """The spans of a batch that is about to run; None where no request is traced."""
        if all(item.request.span is None for item in batch):
            return None
        queued: dict[RequestContext, float] = {}
        for item in batch:
            queued.setdefault(item.request, item.queued)
        return BatchSpans(queued, perf_counter(), {"device": self._runner.device}, self._runner.span_kind)

    async def _recover(self, batch: list[_Item], error: Exception) -> None:
        """Retry the images of a failed batch one by one, so that one bad image fails alone."""
        if len(batch) > 1:
            for item in batch:
                if not item.future.done():
                    await self._run_batch([item])
        else:
            logger.error("The model failed: %s", error)
            _fail(batch[0], Problem("unavailable", "The model failed on this image. Try again in a moment."))

    def _update_gauge_soon(self) -> None:
        """Update the gauge within a twentieth of a second: setting it for each image costs a noticeable part of its time."""
        if self._depth is not None and self._gauge_timer is None:
            self._gauge_timer = asyncio.get_running_loop().call_later(GAUGE_SECONDS, self._update_gauge, self._depth)

    def _update_gauge(self, depth: Gauge) -> None:
        self._gauge_timer = None
        depth.set(len(self._queue))


async def _result(item: _Item) -> ModelOutput | Problem:
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

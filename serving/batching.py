"""Adaptive batching without a timer: a batch starts when the model is free and takes what has queued by then."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from preprocessing import Tensor
from serving.errors import Problem

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model said of one image: ``logits`` float32[K], and what its turn was like (seconds)."""

    logits: Tensor
    batch_size: int
    queue: float
    inference: float


@dataclass(slots=True)
class _Item:
    tensor: Tensor
    future: "asyncio.Future[Scored]"
    queued: float


class Batcher:
    """Gathers the images of concurrent requests into calls of one model on one device.

    ``run`` takes float32[N,C,H,W] and gives float32[N,K]; it is called from one thread, never twice at a time. The queue is
    bounded, every image has a deadline, and images whose client or deadline is gone are not computed.
    """

    def __init__(self, run: Run, *, max_batch_size: int, max_queue: int, deadline_seconds: float) -> None:
        self._run = run
        self._max_batch_size = max_batch_size
        self._max_queue = max_queue
        self._deadline_seconds = deadline_seconds
        self._queue: deque[_Item] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._closed = False

    async def submit(self, tensor: Tensor) -> Scored:
        """Score one image, float32[C,H,W].

        Raises:
            Problem: ``overloaded`` (queue full), ``deadline`` (not answered in time), ``unavailable`` (the model failed, or
                the service is draining).
        """
        if self._closed:
            raise Problem("unavailable", "The service is shutting down.")
        if len(self._queue) >= self._max_queue:
            raise Problem("overloaded", f"{self._max_queue} images are waiting for this model. Try again in a moment.")
        loop = asyncio.get_running_loop()
        item = _Item(tensor, loop.create_future(), perf_counter())
        timer = loop.call_later(self._deadline_seconds, self._expire, item)
        self._queue.append(item)
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        try:
            return await item.future
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Take no more images, answer those that wait, and end the thread."""
        self._closed = True
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    def _expire(self, item: _Item) -> None:
        if not item.future.done():
            item.future.set_exception(Problem("deadline", f"Not answered within {self._deadline_seconds:g} s."))

    async def _work(self) -> None:
        while batch := self._take():
            await self._score(batch)
        self._worker = None

    def _take(self) -> list[_Item]:
        batch: list[_Item] = []
        while self._queue and len(batch) < self._max_batch_size:
            item = self._queue.popleft()
            if not item.future.done():
                batch.append(item)
        return batch

    async def _score(self, batch: list[_Item]) -> None:
        started = perf_counter()
        loop = asyncio.get_running_loop()
        try:
            logits = await loop.run_in_executor(self._thread, self._run, np.stack([item.tensor for item in batch]))
        except Exception as error:  # whatever the model raised, the images of this batch must be answered
            await self._recover(batch, error)
            return
        inference = perf_counter() - started
        for item, row in zip(batch, logits, strict=True):
            if not item.future.done():
                item.future.set_result(Scored(row, len(batch), started - item.queued, inference))

    async def _recover(self, batch: list[_Item], error: Exception) -> None:
        """Retry the images of a failed batch one by one, so that none suffers for another."""
        if len(batch) > 1:
            for item in batch:
                if not item.future.done():
                    await self._score([item])
        elif not batch[0].future.done():
            problem = Problem("unavailable", "The model failed on this image. Try again in a moment.")
            problem.__cause__ = error
            batch[0].future.set_exception(problem)

"""Decodes and preprocesses images: small ones in the event loop, large ones in threads, so that the loop is never blocked for
longer than a small image takes."""

import asyncio
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final, Generic, Protocol, TypeVar

import anyio
from PIL import Image

from preprocessing import (
    FORMATS,
    ImageError,
    ImageLimits,
    StrippedImage,
    decode,
    decode_stripped,
    inspect,
    is_plain,
)
from serving.backpressure.loop_scheduler import LOOP_SCHEDULER
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken, deadline_exceeded
from serving.process import metrics
from serving.process.request_context import CURRENT
from serving.process.tracing import add_span
from serving.settings import available_cpus

A = TypeVar("A")
T = TypeVar("T")

# The largest image that the event loop processes itself: a canvas, or a webcam photo. Bytes and parts of a file (chunks,
# segments) cost time before any pixel is decoded.
INLINE_BYTES: Final = 65_536
INLINE_PIXELS: Final = 400 * 400
# The largest plain PNG, which is decoded far faster: a drawing of this size takes 1.5 ms with its preprocessing.
INLINE_PLAIN_PIXELS: Final = 1_000_000
INLINE_PARTS: Final = 128
# Large images of all models share as many threads as there are CPUs, which also bounds the memory of decoded pixels. A request
# uses at most half of the threads at a time, and its next image queues behind those of other requests.
_CPUS: Final = available_cpus()
THREADS: Final = anyio.CapacityLimiter(_CPUS)
THREADS_PER_REQUEST: Final = max(1, _CPUS // 2)
_POOL: Final = ThreadPoolExecutor(_CPUS, "decode")
# After so long with the small images of one batch, the event loop serves other requests.
YIELD_SECONDS: Final = 0.001


class Processed(Protocol):
    """What is made of an image, and the seconds that took."""

    @property
    def decode_seconds(self) -> float:
        """Seconds of decoding."""

    @property
    def preprocess_seconds(self) -> float:
        """Seconds of everything after that."""


P = TypeVar("P", bound=Processed)


class ImageProcessor(ABC, Generic[P]):
    """Decodes images, with at least ``colour_side`` pixels a side in colour, and processes each; large ones in threads, or all
    unless ``inline``. Of a plain PNG (``is_plain``) up to ``inline_plain_pixels`` are not large."""

    def __init__(
        self,
        limits: ImageLimits,
        colour_side: int | None = None,
        *,
        inline: bool = True,
        inline_plain_pixels: int = INLINE_PIXELS,
    ) -> None:
        self._limits = limits
        self._colour_side = colour_side
        self._inline = inline
        self._inline_plain_pixels = inline_plain_pixels

    @abstractmethod
    def process(self, image: Image.Image, found: StrippedImage, decode_seconds: float) -> P:
        """Process a decoded image, upright; a small one in the event loop.

        Raises:
            ImageError: it cannot be used.
        """

    async def run(self, images: Sequence[bytes | memoryview], token: CancellationToken) -> list[P | Problem]:
        """Process encoded images, in order; one that cannot be read has its problem in its place: ``unsupported_media``,
        ``too_large``, ``undecodable`` or ``no_ink``.

        Raises:
            Problem: ``deadline``; no image is started after it.
            ClientDisconnect: the client closed its connection; no image is started after that.
        """
        started = perf_counter()
        try:
            return [await self.run_one(images[0], token)] if len(images) == 1 else await self.run_many(images, token)
        finally:
            if (request := CURRENT.get()).span is not None:
                add_span(request, "preprocess", started, perf_counter(), {"images": len(images)})

    async def run_one(self, data: bytes | memoryview, token: CancellationToken) -> P | Problem:
        """As ``run``, for one image, which waits for the loop scheduler."""
        await LOOP_SCHEDULER.acquire()
        await token.check()
        image = self._run_inline(data)
        if image is None:
            image = await before_deadline([self.in_thread(self._run, data, token)], token)
        return image

    async def run_many(self, images: Sequence[bytes | memoryview], token: CancellationToken) -> list[P | Problem]:
        """As ``run``, for many images."""
        processed: list[P | Problem | None] = []
        yielded = perf_counter()
        for data in images:
            processed.append(self._run_inline(data))
            if perf_counter() - yielded > YIELD_SECONDS:
                await asyncio.sleep(0)
                await token.check()
                yielded = perf_counter()
        large = [index for index, image in enumerate(processed) if image is None]
        remaining = iter(large)

        async def work() -> None:
            for index in remaining:
                processed[index] = await self.in_thread(self._run, images[index], token)

        if large:
            await before_deadline([work() for _ in range(min(len(large), THREADS_PER_REQUEST))], token)
        return [image for image in processed if image is not None]

    async def decode_and(self, work: Callable[[Image.Image], T], data: bytes | memoryview, token: CancellationToken) -> T:
        """The result of ``work`` on a decoded image, in a thread.

        Raises:
            Problem, ClientDisconnect: as ``CancellationToken.check``.
        """

        def run(data: bytes | memoryview) -> T:
            return work(decode(data, self._limits, self._colour_side))

        return await before_deadline([self.in_thread(run, data, token)], token)

    def warm_up(self) -> P:
        """Process a picture of each format, without counting it in the metrics, so that the first request is not slower;
        returns the last."""
        for name in FORMATS:
            image = Image.new("RGB", (64, 64), "white")
            image.paste("black", (30, 10, 36, 54))
            buffer = io.BytesIO()
            image.save(buffer, name)
            processed = self._finish(inspect(buffer.getvalue(), self._limits), perf_counter())
        return processed

    def _run_inline(self, data: bytes | memoryview) -> P | Problem | None:
        """Process a small image in this thread; None for a large one, or for all unless ``inline``."""
        if len(data) > INLINE_BYTES or not self._inline:
            return None
        started = perf_counter()
        try:
            found = inspect(data, self._limits)
            if found.parts > INLINE_PARTS or found.work > self._inline_plain_pixels:
                return None
            if found.work > INLINE_PIXELS and not is_plain(found):
                return None
            return self._counted(self._finish(found, started))
        except ImageError as error:
            return Problem.from_image(error)

    async def in_thread(self, work: Callable[[A], T], argument: A, token: CancellationToken) -> T:
        """The result of ``work(argument)`` in a thread, if the request is still wanted when a thread is free.

        Raises:
            Problem, ClientDisconnect: as ``CancellationToken.check``.
        """
        async with THREADS:
            await token.check()
            return await asyncio.get_running_loop().run_in_executor(_POOL, work, argument)

    def _run(self, data: bytes | memoryview) -> P | Problem:
        started = perf_counter()
        try:
            return self._counted(self._finish(inspect(data, self._limits), started))
        except ImageError as error:
            return Problem.from_image(error)

    def _finish(self, found: StrippedImage, started: float) -> P:
        """Decode and process an inspected image, whose decoding began at ``started`` (``perf_counter``)."""
        image = decode_stripped(found, self._colour_side)
        return self.process(image, found, perf_counter() - started)

    def _counted(self, processed: P) -> P:
        metrics.decode_seconds.observe(processed.decode_seconds)
        metrics.preprocess_seconds.observe(processed.preprocess_seconds)
        return processed


async def before_deadline(work: Sequence[Coroutine[Any, Any, T]], token: CancellationToken) -> T:
    """The result of the first of ``work`` when all are done; when one fails, or at the deadline, the others are cancelled.

    Raises:
        Problem: ``deadline``; as ``work``.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    try:
        return (await asyncio.wait_for(asyncio.gather(*tasks), token.seconds_left))[0]
    except asyncio.TimeoutError as error:
        raise deadline_exceeded() from error
    finally:
        for task in tasks:
            task.cancel()

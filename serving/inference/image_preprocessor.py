"""Decodes and preprocesses images: small ones in the event loop, large ones in threads, so that the loop is never blocked for
longer than a small image takes."""

import asyncio
import io
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

import anyio
from PIL import Image

from preprocessing import (
    FORMATS,
    ImageError,
    ImageLimits,
    InputSpec,
    Stage,
    StrippedImage,
    Tensor,
    decode,
    inspect,
    load,
    model_input,
    open_stripped,
    stages,
)
from serving.backpressure.loop_scheduler import LOOP_SCHEDULER
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken, deadline_exceeded
from serving.process import metrics
from serving.settings import available_cpus

T = TypeVar("T")

# The largest image that the event loop processes itself: a canvas, or a webcam photo. Bytes and parts of a file (chunks,
# segments) cost time before any pixel is decoded.
INLINE_BYTES: Final = 65_536
INLINE_PIXELS: Final = 400 * 400
INLINE_PARTS: Final = 128
# The largest frame of a photo that the event loop makes: larger ones take milliseconds, whatever the image.
INLINE_FRAME: Final = 256 * 256
# Large images of all models share as many threads as there are CPUs, which also bounds the memory of decoded pixels. A request
# uses at most half of the threads at a time, and its next image queues behind those of other requests.
_CPUS: Final = available_cpus()
THREADS: Final = anyio.CapacityLimiter(_CPUS)
THREADS_PER_REQUEST: Final = max(1, _CPUS // 2)
_POOL: Final = ThreadPoolExecutor(_CPUS, "decode")
# After so long with the small images of one batch, the event loop serves other requests.
YIELD_SECONDS: Final = 0.001


class PreprocessedImage(NamedTuple):
    """An image as the input of a model for each input spec of its ``ImagePreprocessor``, the seconds that took, and for each
    spec the number of separate characters in the image."""

    tensors: tuple[Tensor, ...]
    decode_seconds: float
    preprocess_seconds: float
    characters: tuple[int, ...]

    @property
    def tensor(self) -> Tensor:
        """The tensor of the first spec, which for most models is the only one."""
        return self.tensors[0]


class ImagePreprocessor:
    """Decodes an image once and preprocesses it for each of ``specs``."""

    def __init__(self, specs: Sequence[InputSpec], limits: ImageLimits) -> None:
        self._specs = specs
        self._colour_side = max((spec.colour_side or 0 for spec in specs), default=0) or None
        self._limits = limits
        self._inline = all(spec.colour_side is None or spec.height * spec.width <= INLINE_FRAME for spec in specs)

    async def run(self, images: Sequence[bytes | memoryview], token: CancellationToken) -> list[PreprocessedImage | Problem]:
        """Preprocess encoded images, in order; one that cannot be read has its problem in its place: ``unsupported_media``,
        ``too_large``, ``undecodable`` or ``no_ink``.

        Raises:
            Problem: ``deadline``; no image is started after it.
            ClientDisconnect: the client closed its connection; no image is started after that.
        """
        return [await self.run_one(images[0], token)] if len(images) == 1 else await self.run_many(images, token)

    async def run_one(self, data: bytes | memoryview, token: CancellationToken) -> PreprocessedImage | Problem:
        """As ``run``, for one image, which waits for the loop scheduler."""
        await LOOP_SCHEDULER.acquire()
        await token.check()
        image = self._run_inline(data)
        if image is None:
            image = await _before_deadline([self._in_thread(self._run, data, token)], token)
        return image

    async def run_many(
        self, images: Sequence[bytes | memoryview], token: CancellationToken
    ) -> list[PreprocessedImage | Problem]:
        """As ``run``, for many images."""
        processed: list[PreprocessedImage | Problem | None] = []
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
                processed[index] = await self._in_thread(self._run, images[index], token)

        if large:
            await _before_deadline([work() for _ in range(min(len(large), THREADS_PER_REQUEST))], token)
        return [image for image in processed if image is not None]

    async def stages(self, data: bytes | memoryview, token: CancellationToken) -> list[Stage]:
        """The stages of preprocessing an image for the first spec, as pictures; the last is the model's input.

        Raises:
            Problem, ClientDisconnect: as ``CancellationToken.check``.
        """
        return await _before_deadline([self._in_thread(self._stages, data, token)], token)

    def warm_up(self) -> PreprocessedImage:
        """Preprocess a picture of each format, without counting it in the metrics, so that the first request is not slower;
        returns the last."""
        for name in FORMATS:
            image = Image.new("RGB", (64, 64), "white")
            image.paste("black", (30, 10, 36, 54))
            buffer = io.BytesIO()
            image.save(buffer, name)
            started = perf_counter()
            processed = self._finish(inspect(buffer.getvalue(), self._limits), started)
        return processed

    def _run_inline(self, data: bytes | memoryview) -> PreprocessedImage | Problem | None:
        """Preprocess a small image in this thread; None for a large one, or for a large frame."""
        if len(data) > INLINE_BYTES or not self._inline:
            return None
        started = perf_counter()
        try:
            found = inspect(data, self._limits)
            if found.work > INLINE_PIXELS or found.parts > INLINE_PARTS:
                return None
            return self._counted(found, started)
        except ImageError as error:
            return Problem.from_image(error)

    async def _in_thread(
        self, work: Callable[[bytes | memoryview], T], data: bytes | memoryview, token: CancellationToken
    ) -> T:
        """The result of ``work(data)`` in a thread, if the request is still wanted when a thread is free."""
        async with THREADS:
            await token.check()
            return await asyncio.get_running_loop().run_in_executor(_POOL, work, data)

    def _run(self, data: bytes | memoryview) -> PreprocessedImage | Problem:
        started = perf_counter()
        try:
            return self._counted(inspect(data, self._limits), started)
        except ImageError as error:
            return Problem.from_image(error)

    def _stages(self, data: bytes | memoryview) -> list[Stage]:
        return stages(decode(data, self._limits, self._specs[0].colour_side), self._specs[0])

    def _finish(self, found: StrippedImage, started: float) -> PreprocessedImage:
        """Decode and preprocess an inspected image, whose decoding began at ``started`` (``perf_counter``)."""
        image = load(open_stripped(found), found.orientation, self._colour_side)
        decoded = perf_counter()
        tensors, characters = zip(*(model_input(image, spec) for spec in self._specs), strict=True)
        return PreprocessedImage(tensors, decoded - started, perf_counter() - decoded, characters)

    def _counted(self, found: StrippedImage, started: float) -> PreprocessedImage:
        image = self._finish(found, started)
        metrics.decode_seconds.observe(image.decode_seconds)
        metrics.preprocess_seconds.observe(image.preprocess_seconds)
        return image


async def _before_deadline(work: Sequence[Coroutine[Any, Any, T]], token: CancellationToken) -> T:
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

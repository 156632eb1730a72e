"""Encoded images to the tensors of a model: small ones in the event loop, large ones in a few threads, so that the event loop
is never held for longer than a canvas takes."""

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
    InputSpec,
    Limits,
    Stage,
    Stripped,
    Tensor,
    decode,
    inspect,
    load,
    model_input,
    opened,
    stages,
)
from serving.backpressure.loop_scheduler import LOOP_SCHEDULER
from serving.errors import Problem
from serving.inference.request import CancellationToken, deadline_exceeded
from serving.process import metrics
from serving.settings import available_cpus

T = TypeVar("T")

# What the event loop prepares itself: a canvas, or a photo of a web camera. Bytes and parts of a file (chunks, segments) cost
# time before a pixel is looked at.
INLINE_BYTES: Final = 65_536
INLINE_PIXELS: Final = 400 * 400
INLINE_PARTS: Final = 128
# Large pictures wait for one of as many threads as there are CPUs, whatever their model: that bounds the memory of decoded
# pixels as well. One request has at most half of them at a time, and its next picture queues behind those of others.
_CPUS: Final = available_cpus()
THREADS: Final = anyio.CapacityLimiter(_CPUS)
THREADS_A_REQUEST: Final = max(1, _CPUS // 2)
_POOL: Final = ThreadPoolExecutor(_CPUS, "decode")
# Small images of one batch are prepared one after the other; others get their turn after this long.
TURN_SECONDS: Final = 0.001


class Prepared(NamedTuple):
    """An image as float32[C,H,W] for every input of its ``Preparation``, the seconds each half took, and for every input how
    many separate characters the image shows."""

    tensors: tuple[Tensor, ...]
    decode: float
    preprocess: float
    characters: tuple[int, ...]

    @property
    def tensor(self) -> Tensor:
        """That of the first input, which for most is the only one."""
        return self.tensors[0]


class Preparation:
    """Decodes an image once and preprocesses it for every one of ``specs``."""

    def __init__(self, specs: Sequence[InputSpec], limits: Limits) -> None:
        self._specs = specs
        self._limits = limits

    async def one(self, data: bytes | memoryview, cancellation: CancellationToken) -> Prepared:
        """Prepare one image.

        Raises:
            Problem: ``unsupported_media``, ``too_large``, ``undecodable``, ``no_ink`` or ``deadline``.
            ClientDisconnect: the client went away while the image waited.
        """
        await LOOP_SCHEDULER.acquire()
        await cancellation.check()
        prepared = self._at_once(data)
        if prepared is None:
            prepared = await _before_deadline([self._in_thread(self._whole, data, cancellation)], cancellation)
        if isinstance(prepared, Problem):
            raise prepared
        return prepared

    async def all(self, images: Sequence[bytes | memoryview], cancellation: CancellationToken) -> list[Prepared | Problem]:
        """Prepare many images; one that cannot be read has its problem in its place.

        Raises:
            Problem: ``deadline``; no image is begun after it.
            ClientDisconnect: the client went away; no image is begun after that.
        """
        prepared: list[Prepared | Problem | None] = []
        turn = perf_counter()
        for data in images:
            prepared.append(self._at_once(data))
            if perf_counter() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                await cancellation.check()
                turn = perf_counter()
        large = [place for place, one in enumerate(prepared) if one is None]
        places = iter(large)

        async def work() -> None:
            for place in places:
                prepared[place] = await self._in_thread(self._whole, images[place], cancellation)

        if large:
            await _before_deadline([work() for _ in range(min(len(large), THREADS_A_REQUEST))], cancellation)
        return [one for one in prepared if one is not None]

    async def stages(self, data: bytes | memoryview, cancellation: CancellationToken) -> list[Stage]:
        """The steps of preprocessing a prepared image for the first input, as pictures, the last of them the model's frame.

        Raises:
            Problem, ClientDisconnect: as ``CancellationToken.check``.
        """
        return await _before_deadline([self._in_thread(self._stages, data, cancellation)], cancellation)

    def warm_up(self) -> Prepared:
        """Prepare a picture of every format, uncounted, so that no request pays for a first time; gives the last of them."""
        for name in FORMATS:
            image = Image.new("RGB", (64, 64), "white")
            image.paste("black", (30, 10, 36, 54))
            buffer = io.BytesIO()
            image.save(buffer, name)
            started = perf_counter()
            prepared = self._finish(inspect(buffer.getvalue(), self._limits), started)
        return prepared

    def _at_once(self, data: bytes | memoryview) -> Prepared | Problem | None:
        """A small image prepared, or its problem; None where it is for a thread."""
        if len(data) > INLINE_BYTES:
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
        self, work: Callable[[bytes | memoryview], T], data: bytes | memoryview, cancellation: CancellationToken
    ) -> T:
        """What ``work`` makes of an image, in one of the threads, unless it is not wanted any more when one is free."""
        async with THREADS:
            await cancellation.check()
            return await asyncio.get_running_loop().run_in_executor(_POOL, work, data)

    def _whole(self, data: bytes | memoryview) -> Prepared | Problem:
        started = perf_counter()
        try:
            return self._counted(inspect(data, self._limits), started)
        except ImageError as error:
            return Problem.from_image(error)

    def _stages(self, data: bytes | memoryview) -> list[Stage]:
        return stages(decode(data, self._limits), self._specs[0])

    def _finish(self, found: Stripped, started: float) -> Prepared:
        """Decode and preprocess an inspected image; its seconds count from ``started``."""
        image = load(opened(found), found.orientation)
        decoded = perf_counter()
        tensors, characters = zip(*(model_input(image, spec) for spec in self._specs), strict=True)
        return Prepared(tensors, decoded - started, perf_counter() - decoded, characters)

    def _counted(self, found: Stripped, started: float) -> Prepared:
        prepared = self._finish(found, started)
        metrics.decode_seconds.observe(prepared.decode)
        metrics.preprocess_seconds.observe(prepared.preprocess)
        return prepared


async def _before_deadline(work: Sequence[Coroutine[Any, Any, T]], cancellation: CancellationToken) -> T:
    """What the first of ``work`` gives when all is done; when one fails, or at the deadline, what was not begun never is.

    Raises:
        Problem: ``deadline``; as ``work``.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return (await asyncio.wait_for(asyncio.gather(*tasks), cancellation.seconds_left))[0]
    except asyncio.TimeoutError as error:
        raise deadline_exceeded() from error
    finally:
        for task in tasks:
            task.cancel()

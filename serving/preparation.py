"""Encoded images to the tensors of a model: small ones at once, large ones in a few threads, so that the event loop is never
held for longer than a canvas takes."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import anyio
import anyio.to_thread
from PIL import Image

from preprocessing import SIGNATURES, ImageError, InputSpec, Limits, Stage, Tensor, decode, load, open_image, preprocess, stages
from serving import metrics
from serving.errors import Problem
from serving.settings import available_cpus
from serving.turns import Turns

INLINE_PIXELS: Final = 400 * 400
# Large pictures wait for one of as many threads as there are CPUs, whatever their model: that bounds the memory of decoded
# pixels as well.
THREADS: Final = anyio.CapacityLimiter(available_cpus())
# Small images of one batch are prepared one after the other; others get their turn after this long.
TURN_SECONDS: Final = 0.001
TURNS: Final = Turns()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as float32[C,H,W] for every input of its ``Preparation``, and the seconds each half took."""

    tensors: tuple[Tensor, ...]
    decode: float
    preprocess: float

    @property
    def tensor(self) -> Tensor:
        """That of the first input, which for most is the only one."""
        return self.tensors[0]


class Preparation:
    """Decodes an image once and preprocesses it for every one of ``specs``."""

    def __init__(self, specs: Sequence[InputSpec], limits: Limits) -> None:
        self._specs = specs
        self._limits = limits

    async def one(self, data: bytes | memoryview) -> Prepared:
        """Prepare one image.

        Raises:
            Problem: ``unsupported_media``, ``too_large``, ``undecodable`` or ``no_ink``.
        """
        await TURNS.wait()
        begun = self._begin(data)
        prepared = await begun if isinstance(begun, asyncio.Task) else begun
        if isinstance(prepared, Problem):
            raise prepared
        return prepared

    async def all(self, images: Sequence[bytes | memoryview]) -> list[Prepared | Problem]:
        """Prepare many images; one that cannot be read has its problem in its place."""
        pending: list[Prepared | Problem | asyncio.Task[Prepared | Problem]] = []
        turn = perf_counter()
        for data in images:
            pending.append(self._begin(data))
            if perf_counter() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = perf_counter()
        return [await one if isinstance(one, asyncio.Task) else one for one in pending]

    async def stages(self, data: bytes | memoryview) -> list[Stage]:
        """The steps of preprocessing a prepared image for the first input, as pictures, the last of them the model's frame."""
        return await anyio.to_thread.run_sync(self._stages, data, limiter=THREADS)

    def warm_up(self) -> Prepared:
        """Prepare a picture of every format, uncounted, so that no request pays for a first time; gives the last of them."""
        for name in SIGNATURES:
            image = Image.new("RGB", (64, 64), "white")
            image.paste("black", (30, 10, 36, 54))
            buffer = io.BytesIO()
            image.save(buffer, name)
            started = perf_counter()
            prepared = self._finish(open_image(buffer.getvalue(), self._limits), started)
        return prepared

    def _stages(self, data: bytes | memoryview) -> list[Stage]:
        return stages(decode(bytes(data), self._limits), self._specs[0])

    def _begin(self, data: bytes | memoryview) -> "Prepared | Problem | asyncio.Task[Prepared | Problem]":
        started = perf_counter()
        try:
            image = open_image(bytes(data), self._limits)
            if image.width * image.height <= INLINE_PIXELS:
                return self._counted(image, started)
        except ImageError as error:
            return Problem.from_image(error)
        return asyncio.ensure_future(self._later(image))

    async def _later(self, image: Image.Image) -> Prepared | Problem:
        try:
            return await anyio.to_thread.run_sync(self._counted, image, None, limiter=THREADS)
        except ImageError as error:
            return Problem.from_image(error)

    def _finish(self, image: Image.Image, started: float | None) -> Prepared:
        """Decode and preprocess an opened image; its seconds count from ``started``, or from now."""
        started = started or perf_counter()
        image = load(image)
        decoded = perf_counter()
        tensors = tuple(preprocess(image, spec) for spec in self._specs)
        return Prepared(tensors, decoded - started, perf_counter() - decoded)

    def _counted(self, image: Image.Image, started: float | None) -> Prepared:
        prepared = self._finish(image, started)
        metrics.decode_seconds.observe(prepared.decode)
        metrics.preprocess_seconds.observe(prepared.preprocess)
        return prepared

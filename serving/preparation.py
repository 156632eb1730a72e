"""Encoded images to the tensors of a model: small ones at once, large ones in a few threads, so that the event loop is never
held for longer than a canvas takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import anyio
import anyio.to_thread
from PIL import Image

from preprocessing import ImageError, InputSpec, Stage, Tensor, decode, load, open_image, preprocess, stages
from serving import metrics
from serving.errors import Problem
from serving.settings import available_cpus

INLINE_PIXELS: Final = 400 * 400
# Small images of one batch are prepared one after the other; others get their turn after this long.
TURN_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image ready for the model, float32[C,H,W], and the seconds each half took."""

    tensor: Tensor
    decode: float
    preprocess: float


class Preparation:
    """Decodes and preprocesses for one model. Large pictures wait for one of as many threads as there are CPUs, which bounds
    the memory of decoded pixels as well."""

    def __init__(self, spec: InputSpec, max_pixels: int) -> None:
        self._spec = spec
        self._max_pixels = max_pixels
        self._threads = anyio.CapacityLimiter(available_cpus())

    async def one(self, data: bytes) -> Prepared:
        """Prepare one image.

        Raises:
            Problem: ``unsupported_media``, ``too_large``, ``undecodable`` or ``no_ink``.
        """
        begun = self._begin(data)
        prepared = await begun if isinstance(begun, asyncio.Task) else begun
        if isinstance(prepared, Problem):
            raise prepared
        return prepared

    async def all(self, images: Sequence[bytes]) -> list[Prepared | Problem]:
        """Prepare many images; one that cannot be read has its problem in its place."""
        pending: list[Prepared | Problem | asyncio.Task[Prepared | Problem]] = []
        turn = perf_counter()
        for data in images:
            pending.append(self._begin(data))
            if perf_counter() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = perf_counter()
        return [await one if isinstance(one, asyncio.Task) else one for one in pending]

    async def stages(self, data: bytes) -> list[Stage]:
        """The steps of preprocessing an image that was prepared before, as pictures, the last of them the model's frame."""
        return await anyio.to_thread.run_sync(self._stages, data, limiter=self._threads)

    def now(self, data: bytes) -> Prepared:
        """Prepare one image in this thread, whatever its size.

        Raises:
            ImageError: it cannot be read.
        """
        started = perf_counter()
        return self._finish(open_image(data, max_pixels=self._max_pixels), started)

    def _stages(self, data: bytes) -> list[Stage]:
        return stages(decode(data, max_pixels=self._max_pixels), self._spec)

    def _begin(self, data: bytes) -> "Prepared | Problem | asyncio.Task[Prepared | Problem]":
        started = perf_counter()
        try:
            image = open_image(data, max_pixels=self._max_pixels)
            if image.width * image.height <= INLINE_PIXELS:
                return self._counted(image, started)
        except ImageError as error:
            return Problem.from_image(error)
        return asyncio.ensure_future(self._later(image))

    async def _later(self, image: Image.Image) -> Prepared | Problem:
        try:
            return await anyio.to_thread.run_sync(self._counted, image, None, limiter=self._threads)
        except ImageError as error:
            return Problem.from_image(error)

    def _finish(self, image: Image.Image, started: float | None) -> Prepared:
        """Decode and preprocess an opened image; its seconds count from ``started``, or from now."""
        started = started or perf_counter()
        image = load(image)
        decoded = perf_counter()
        return Prepared(preprocess(image, self._spec), decoded - started, perf_counter() - decoded)

    def _counted(self, image: Image.Image, started: float | None) -> Prepared:
        prepared = self._finish(image, started)
        metrics.decode_seconds.observe(prepared.decode)
        metrics.preprocess_seconds.observe(prepared.preprocess)
        return prepared

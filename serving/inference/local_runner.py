"""Runs one model on one device in this process, and reopens its session after a failure."""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Final, Protocol

import numpy as np
from opentelemetry.trace import SpanKind

from models.card import ModelCard
from models.golden import GoldenOutputMismatch, verify_session
from preprocessing import Tensor
from serving.inference.sessions import CPU, DEVICES, Device, DeviceUnavailable, ProviderMissing, Session
from serving.process import metrics
from serving.settings import Settings, available_cpus

logger = logging.getLogger("bentoml.serving")

# A call expected to be shorter than this runs in the event loop: passing it to a thread and back would cost a tenth or more.
# A longer one would block the requests of all other models.
INLINE_SECONDS: Final = 0.002
# A failed session is reopened at most once in ten times what reopening took, within these bounds, so that images on which a
# model always fails cost a tenth of the time at most.
RESTART_SHARE: Final = 10
RESTART_SECONDS: Final = (1.0, 10.0)
TIMED_CALLS: Final = 3


@dataclass(slots=True)
class ModelOutput:
    """What a model computed for one image: ``logits`` float32[K], how many images shared the call, the execution provider, the
    seconds of the call, and those that the image waited for it."""

    logits: Tensor
    batch_size: int
    provider: str
    inference_seconds: float
    queue_seconds: float = 0.0


class Runner(Protocol):
    """Runs a model on one device, in this process or in another."""

    device: str
    span_kind: SpanKind
    """Of a call in a trace: ``CLIENT`` where another process runs it."""

    @property
    def provider(self) -> str:
        """The execution provider in use."""

    async def run(self, batch: Tensor) -> list[ModelOutput]:
        """The outputs for a batch of N images; an exception means that there are none."""

    def close(self) -> None:
        """Release threads and connections."""


class LocalRunner:
    """A session in this process. Short calls run in the event loop, long ones in the runner's own thread, which also reopens
    the session after a failure."""

    span_kind = SpanKind.INTERNAL

    def __init__(self, path: Path, card: ModelCard, device: Device, threads: int) -> None:
        self.device = device.name
        self._card = card
        self._open = partial(Session, path, device, threads, card.output, card.fixed_batch)
        self._session = self._open_verified()
        self._provider = self._session.provider
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{card.name}-{device.name}")
        self._inline = 0
        self._next_restart = 0.0
        self._name = card.name
        self._sizes = metrics.batch_size.labels(card.name, device.name)
        metrics.sessions.labels(card.name, device.name, self._provider).inc()
        self._restarts = metrics.session_restarts.labels(card.name, device.name)

    @property
    def provider(self) -> str:
        """The execution provider in use, as the session reports it."""
        return self._session.provider

    async def run(self, batch: Tensor) -> list[ModelOutput]:
        """The outputs for a batch of N images, N at least 1. After a failure the session is reopened and called once more,
        unless that was done a moment ago."""
        session = self._session
        try:
            return await self._run(batch)
        except Exception as error:  # onnxruntime's own classes share no base
            if self._session is session and perf_counter() < self._next_restart:
                raise
            await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, self._restart, session, error)
        return await self._run(batch)

    def call(self, batch: Tensor) -> list[ModelOutput]:
        """As ``run``, in this thread, without reopening the session."""
        started = perf_counter()
        logits = self._session.run(batch)
        seconds, size = perf_counter() - started, len(batch) if self._card.fixed_batch is None else 1
        self._sizes.observe(size)
        return [ModelOutput(row, size, self._provider, seconds) for row in logits]

    def warm_up(self, image: Tensor, sizes: Iterable[int]) -> None:
        """Run batches of ``image``, a model input, of these sizes, and measure which are short enough for the event loop."""
        short = self.device == CPU.name
        for size in sizes:
            batch = np.stack([image] * size)
            seconds = min(self._seconds(batch) for _ in range(TIMED_CALLS if short else 1))
            short = short and seconds <= INLINE_SECONDS
            if short:
                self._inline = size

    def close(self) -> None:
        """End the thread once it is idle."""
        self._thread.shutdown(wait=False)
        metrics.sessions.labels(self._name, self.device, self._provider).dec()

    def _open_verified(self) -> Session:
        """A new session that reproduces the golden output of the card.

        Raises:
            DeviceUnavailable: it does not, or the session cannot be opened.
        """
        session = self._open()
        try:
            verify_session(self._card, session.run)
        except GoldenOutputMismatch as error:
            raise DeviceUnavailable(f"{session.provider} does not work: {error}.") from error
        except Exception as error:  # onnxruntime's own classes share no base
            raise DeviceUnavailable(f"{session.provider} does not work: {' '.join(str(error).split())}") from error
        return session

    def _seconds(self, batch: Tensor) -> float:
        """CPU seconds of this thread alone: during a reload another thread answers requests."""
        started = thread_time()
        self._session.run(batch)
        return thread_time() - started

    async def _run(self, batch: Tensor) -> list[ModelOutput]:
        if len(batch) <= self._inline:
            return self.call(batch)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.call, batch)

    def _restart(self, failed: Session, error: Exception) -> None:
        """Reopen the session. Runs in the runner's thread, so that calls which failed together reopen it once.

        Raises:
            Exception: ``error``, if it was reopened a moment ago; DeviceUnavailable as ``_open_verified``.
        """
        if self._session is not failed:
            return
        started = perf_counter()
        if started < self._next_restart:
            raise error
        logger.error("%s: the session on %s failed and is reopened: %s", self._name, self.device, error)
        try:
            self._session = self._open_verified()
        finally:
            now = perf_counter()
            least, most = RESTART_SECONDS
            self._next_restart = now + min(max(least, RESTART_SHARE * (now - started)), most)
        self._restarts.inc()


def max_batch_size(card: ModelCard, settings: Settings) -> int:
    """The most images in one call of a model: one where its batch is fixed, else as the settings say."""
    return settings.max_batch_size if card.fixed_batch is None else 1


def warm_up_sizes(max_batch_size: int) -> list[int]:
    """The batch sizes of the warm-up: the powers of two below ``max_batch_size``, and it."""
    return [*(1 << bit for bit in range(max_batch_size.bit_length()) if 1 << bit < max_batch_size), max_batch_size]


def open_runners(
    path: Path, card: ModelCard, settings: Settings, processes: int
) -> tuple[dict[str, LocalRunner], dict[str, str]]:
    """Runners by device, and the reason for each device without one; ``processes`` processes share the CPUs.

    With ``DEVICE=auto`` a GPU that does not work is reported in the log, in ``GET /models`` and in the metrics.

    Raises:
        DeviceUnavailable: the device of ``DEVICE`` does not work, or none does.
    """
    threads = max(1, available_cpus() // processes)
    runners: dict[str, LocalRunner] = {}
    reasons: dict[str, str] = {}
    for device in DEVICES.values():
        if settings.device not in ("auto", device.name):
            reasons[device.name] = f"The service was started with DEVICE={settings.device}."
            continue
        try:
            runners[device.name] = LocalRunner(path, card, device, threads)
        except DeviceUnavailable as error:
            if device.name in (settings.device, CPU.name):
                raise
            reasons[device.name] = str(error)
            fault = not isinstance(error, ProviderMissing)
            if fault:
                logger.warning("%s runs on the CPU: %s %s", card.tag, error, error.remedy)
            else:
                logger.info("%s runs on the CPU: %s", card.tag, error)
            metrics.gpu_fallback.labels(card.name).set(fault)
    return runners, reasons

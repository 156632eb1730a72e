"""One model on one device in this process: calls its session, and opens it again when it fails."""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Final, Protocol

import numpy as np

from models.card import ModelCard
from models.probe import WrongAnswer, ask
from preprocessing import Tensor
from serving.inference.sessions import CPU, DEVICES, Device, DeviceUnavailable, ProviderMissing, Session
from serving.process import metrics
from serving.settings import Settings, available_cpus

logger = logging.getLogger("bentoml.serving")

# A call expected to be shorter than this runs in the event loop: handing it to a thread and back would cost it a tenth or more.
# A longer one would hold up the requests of all other models.
INLINE_SECONDS: Final = 0.002
# A session that fails is opened again no sooner than so many times what that took last time, within these bounds: pictures on
# which a model always fails then cost its other pictures a tenth of the time.
RESTART_SHARE: Final = 10
RESTART_SECONDS: Final = (1.0, 10.0)
TIMED_CALLS: Final = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a session: the images that shared it, how long it took, and the execution provider that ran it."""

    batch_size: int
    seconds: float
    provider: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Logits float32[N,K] of N images, and for each the call that made them."""

    logits: Tensor
    calls: list[Call]


class Runner(Protocol):
    """Where a model runs: in this process or in another."""

    device: str

    @property
    def provider(self) -> str:
        """The execution provider really in use."""

    async def run(self, batch: Tensor) -> Outcome:
        """Logits of a batch float32[N,C,H,W]; any exception means that no image of it was read."""

    def close(self) -> None:
        """Let go of threads and connections."""


class LocalRunner:
    """A session in this process. Short calls run in the event loop, long ones in a thread of the runner's own, which also opens
    the session again after it failed."""

    def __init__(self, path: Path, card: ModelCard, device: Device, threads: int) -> None:
        self.device = device.name
        self._card = card
        self._open = partial(Session, path, device, threads)
        self._session = self._proven()
        self._provider = self._session.provider
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{card.name}-{device.name}")
        self._inline = 0
        self._next_restart = 0.0
        self._name = card.name
        self._sizes = metrics.batch_size.labels(card.name, device.name)
        metrics.sessions.labels(card.name, device.name, self._provider).inc()

    @property
    def provider(self) -> str:
        """The execution provider really in use, asked of the session."""
        return self._session.provider

    async def run(self, batch: Tensor) -> Outcome:
        """Logits of a batch float32[N,C,H,W], N at least 1. After a failure the session is opened again and asked once more,
        unless that was done a moment ago."""
        session = self._session
        try:
            return await self._run(batch)
        except Exception as error:  # onnxruntime's own classes share no base
            if self._session is session and perf_counter() < self._next_restart:
                raise
            await asyncio.get_running_loop().run_in_executor(self._thread, self._restart, session, error)
        return await self._run(batch)

    def call(self, batch: Tensor) -> Outcome:
        """As ``run``, in this thread and now; a failure is the caller's."""
        started = perf_counter()
        logits = self._session.run(batch)
        call = Call(len(batch), perf_counter() - started, self._provider)
        self._sizes.observe(call.batch_size)
        return Outcome(logits, [call] * call.batch_size)

    def warm_up(self, image: Tensor, sizes: Iterable[int]) -> None:
        """Run batches of ``image`` (float32[C,H,W]) of these sizes, and decide from their seconds what is short."""
        short = self.device == CPU.name
        for size in sizes:
            batch = np.stack([image] * size)
            seconds = min(self._seconds(batch) for _ in range(TIMED_CALLS if short else 1))
            short = short and seconds <= INLINE_SECONDS
            if short:
                self._inline = size

    def close(self) -> None:
        """End the thread once it has nothing to do."""
        self._thread.shutdown(wait=False)
        metrics.sessions.labels(self._name, self.device, self._provider).dec()

    def _proven(self) -> Session:
        """A session that answers what the card knows.

        Raises:
            DeviceUnavailable: it does not, or cannot be opened.
        """
        session = self._open()
        try:
            ask(self._card, session.run)
        except WrongAnswer as error:
            raise DeviceUnavailable(f"{session.provider} does not work: {error}.") from error
        except Exception as error:  # onnxruntime's own classes share no base
            raise DeviceUnavailable(f"{session.provider} does not work: {' '.join(str(error).split())}") from error
        return session

    def _seconds(self, batch: Tensor) -> float:
        """Of this thread alone: a service that changes its models answers requests in another meanwhile."""
        started = thread_time()
        self._session.run(batch)
        return thread_time() - started

    async def _run(self, batch: Tensor) -> Outcome:
        if len(batch) <= self._inline:
            return self.call(batch)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.call, batch)

    def _restart(self, failed: Session, error: Exception) -> None:
        """Open the session again; to be called in the runner's thread, so that calls which failed together do it once.

        Raises:
            Exception: ``error``, if that was done a moment ago; DeviceUnavailable as ``_proven``.
        """
        if self._session is not failed:
            return
        started = perf_counter()
        if started < self._next_restart:
            raise error
        logger.error("%s: the session on %s failed and is opened again: %s", self._name, self.device, error)
        try:
            self._session = self._proven()
        finally:
            now = perf_counter()
            least, most = RESTART_SECONDS
            self._next_restart = now + min(max(least, RESTART_SHARE * (now - started)), most)
        metrics.session_restarts.labels(self._name, self.device).inc()


def warm_up_sizes(max_batch_size: int) -> list[int]:
    """The powers of two up to the largest batch, and that."""
    return [*(1 << bit for bit in range(max_batch_size.bit_length()) if 1 << bit < max_batch_size), max_batch_size]


def open_runners(
    path: Path, card: ModelCard, settings: Settings, processes: int
) -> tuple[dict[str, LocalRunner], dict[str, str]]:
    """Runners by device, and for every device without one the reason; ``processes`` such sets share the CPUs.

    With ``DEVICE=auto`` a GPU that is built in and does not work is told of in the log, in GET /models and in the metrics.

    Raises:
        DeviceUnavailable: ``DEVICE`` names one that does not work, or none does.
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
            logger.log(logging.WARNING if fault else logging.INFO, "%s runs on the CPU: %s", card.tag, error)
            metrics.gpu_fallback.labels(card.name).set(fault)
    return runners, reasons

"""ONNX Runtime sessions: one model on one device."""

import logging
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort

from models.card import ModelCard
from preprocessing import Tensor
from serving.settings import Settings, available_cpus

logger = logging.getLogger("bentoml.serving")

PROVIDERS: Final = {"cpu": "CPUExecutionProvider", "gpu": "CUDAExecutionProvider"}


class DeviceUnavailable(Exception):
    """No session can run on the device; the text says why."""


class Runner:
    """One ONNX Runtime session and what it takes to call it."""

    def __init__(self, path: Path, card: ModelCard, device: str, threads: int) -> None:
        self.device = device
        self.card = card
        self._session = open_session(path, device, threads)
        self._input = self._session.get_inputs()[0].name

    @property
    def provider(self) -> str:
        """The execution provider really in use, asked of the session."""
        return str(self._session.get_providers()[0])

    def run(self, batch: Tensor) -> Tensor:
        """Logits float32[N,K] of a batch float32[N,C,H,W]."""
        (logits,) = self._session.run(None, {self._input: batch})
        return np.asarray(logits, dtype=np.float32)


def open_session(path: Path, device: str, threads: int) -> ort.InferenceSession:
    """A session on ``device`` ("cpu" or "gpu") with ``threads`` threads of its own.

    Raises:
        DeviceUnavailable: the provider is not built in, or the session fell back to another.
    """
    provider = PROVIDERS[device]
    if provider not in ort.get_available_providers():
        raise DeviceUnavailable(f"The installed onnxruntime has no {provider}.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:  # a driver that is missing or too old surfaces as any of onnxruntime's own classes
        if device == "cpu":
            raise
        raise DeviceUnavailable(f"{provider} does not work: {error}") from error
    if session.get_providers()[0] != provider:
        raise DeviceUnavailable(f"{provider} does not work here: onnxruntime fell back to {session.get_providers()[0]}.")
    return session


def open_runners(path: Path, card: ModelCard, settings: Settings) -> tuple[dict[str, Runner], dict[str, str]]:
    """Runners by device, and for every device without one the reason; the CPU is always there unless only the GPU is asked for.

    Raises:
        DeviceUnavailable: ``DEVICE=gpu`` and there is none.
    """
    threads = max(1, available_cpus() // settings.workers)
    runners: dict[str, Runner] = {}
    reasons: dict[str, str] = {}
    for device in PROVIDERS:
        if settings.device not in ("auto", device):
            reasons[device] = f"The service was started with DEVICE={settings.device}."
            continue
        try:
            runners[device] = Runner(path, card, device, threads)
        except DeviceUnavailable as error:
            if settings.device == device:
                raise
            reasons[device] = str(error)
            logger.info("%s: no %s session: %s", card.tag, device, error)
    return runners, reasons

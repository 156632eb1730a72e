"""Models without HTTP, opened as the service opens them: the one place where load tests touch ``serving.runner``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.store import CATALOGUE
from preprocessing import Tensor, decode, preprocess
from serving.runner import PROVIDERS, DeviceUnavailable, open_session
from serving.settings import Settings

Run = Callable[[Tensor], Tensor]

DIGITS = CATALOGUE / "digits" / MODEL_FILE
MAX_PIXELS: int = Settings.model_fields["max_pixels"].default


def digits_card() -> ModelCard:
    """The card of the digit model."""
    return read_card(CATALOGUE / "digits" / CARD_FILE)


def open_run(path: Path, device: str, threads: int) -> Run:
    """A call from float32[N,C,H,W] to logits float32[N,K] on a device.

    Raises:
        DeviceUnavailable: no session runs there.
    """
    session = open_session(path, device, threads)
    name = session.get_inputs()[0].name

    def run(batch: Tensor) -> Tensor:
        (logits,) = session.run(None, {name: batch})
        return np.asarray(logits, dtype=np.float32)

    return run


def open_devices(path: Path, threads: int) -> dict[str, Run]:
    """A call for every device that has a working session."""
    runs: dict[str, Run] = {}
    for device in PROVIDERS:
        try:
            runs[device] = open_run(path, device, threads)
        except DeviceUnavailable:
            continue
    return runs


def prepare(data: bytes, card: ModelCard) -> Tensor:
    """An encoded picture to float32[C,H,W], as the service prepares it."""
    return preprocess(decode(data, max_pixels=MAX_PIXELS), card.input)

"""Models without HTTP, opened as the service opens them: the only module of loadtests that uses the service's own code."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.store import CATALOGUE
from preprocessing import Tensor, decode, preprocess
from serving.inference.sessions import DEVICES, DeviceUnavailable, Session

Run = Callable[[Tensor], Tensor]

DIGITS = CATALOGUE / "digits" / MODEL_FILE


def digits_card() -> ModelCard:
    """Read the card of the digit model."""
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


def open_run(path: Path, device: str, threads: int) -> Run:
    """Open a model on a device; returns a function from float32[N,C,H,W] to logits float32[N,K].

    Raises:
        DeviceUnavailable: no session works on the device.
    """
    return Session(path, DEVICES[device], threads).run


def open_devices(path: Path, threads: int) -> dict[str, Run]:
    """Open a model on every device that has a working session."""
    runs: dict[str, Run] = {}
    for device in DEVICES:
        with suppress(DeviceUnavailable):
            runs[device] = open_run(path, device, threads)
    return runs


def prepare(data: bytes, card: ModelCard) -> Tensor:
    """Decode and preprocess an encoded image to float32[C,H,W], as the service does."""
    return preprocess(decode(data), card.input)

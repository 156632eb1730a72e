"""Models without HTTP, opened as the service opens them: the one place where load tests touch its sessions."""

from collections.abc import Callable
from pathlib import Path

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.store import CATALOGUE
from preprocessing import Tensor, decode, preprocess
from serving.inference.sessions import DEVICES, DeviceUnavailable, Session

Run = Callable[[Tensor], Tensor]

DIGITS = CATALOGUE / "digits" / MODEL_FILE


def digits_card() -> ModelCard:
    """The card of the digit model."""
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


def open_run(path: Path, device: str, threads: int) -> Run:
    """A call from float32[N,C,H,W] to logits float32[N,K] on a device.

    Raises:
        DeviceUnavailable: no session runs there.
    """
    return Session(path, DEVICES[device], threads).run


def open_devices(path: Path, threads: int) -> dict[str, Run]:
    """A call for every device that has a working session."""
    runs: dict[str, Run] = {}
    for device in DEVICES:
        try:
            runs[device] = open_run(path, device, threads)
        except DeviceUnavailable:
            continue
    return runs


def prepare(data: bytes, card: ModelCard) -> Tensor:
    """An encoded picture to float32[C,H,W], as the service prepares it."""
    return preprocess(decode(data), card.input)

"""Does a card fit its ONNX file? Asked before a model is imported, and again of every file that is loaded."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, file_sha256, read_card

BATCH_SIZES = (1, 3)


def check_folder(folder: Path) -> ModelCard:
    """Read models/NAME and check that the card fits the file beside it: hash, names, shapes, K labels, finite logits.

    Raises:
        CardError: with the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    check_sha256(folder / MODEL_FILE, card)
    check_graph(folder / MODEL_FILE, card)
    return card


def check_sha256(path: Path, card: ModelCard) -> None:
    """Refuse a file that is missing or is not the one the card describes."""
    if not path.is_file():
        raise CardError(f"{path}: missing; the card of {card.tag} describes it")
    found = file_sha256(path)
    if found != card.sha256:
        raise CardError(f"{path}: sha256 is {found}, the card of {card.tag} says {card.sha256}")


def check_graph(path: Path, card: ModelCard) -> None:
    """Run the model on batches of zeros and ones and compare what comes out with what the card promises."""
    try:
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class per fault, all of them outside its public API
        raise CardError(f"{path}: not an ONNX model that onnxruntime can load: {error}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise CardError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs; a classifier has one of each")
    spec = card.input
    expected = [spec.channels, spec.size, spec.size]
    if inputs[0].type != "tensor(float)" or inputs[0].shape[1:] != expected:
        raise CardError(f"{path}: input is {inputs[0].type} {inputs[0].shape}, the card says float [N, {expected}]")
    for n in BATCH_SIZES:
        batch = np.linspace(0, 1, n * spec.channels * spec.size**2, dtype=np.float32).reshape(n, *expected)
        try:
            (logits,) = session.run(None, {inputs[0].name: batch})
        except Exception as error:
            raise CardError(f"{path}: cannot run a batch of {n}: {error}") from error
        if logits.shape != (n, len(card.labels)):
            raise CardError(f"{path}: a batch of {n} gives {logits.shape}, the card has {len(card.labels)} labels")
        if not np.isfinite(logits).all():
            raise CardError(f"{path}: gives logits that are not finite")

"""Does a card fit what it describes? Asked before a model is imported, and again of every file that is loaded."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, file_sha256, read_card

BATCH_SIZES = (1, 3)


def check_folder(folder: Path, catalogue: Path | None = None) -> Card:
    """Read CATALOGUE/NAME and check the card: of a classifier against the file beside it, of a cascade against its models.

    A classifier's hash, names, shapes, K labels and finite logits are checked. A cascade's models are looked for in
    ``catalogue``, which is the folder that ``folder`` lies in when it is not given.

    Raises:
        CardError: with the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    if isinstance(card, CascadeCard):
        check_cascade(folder / CARD_FILE, card, catalogue or folder.resolve().parent)
    else:
        check_sha256(folder / MODEL_FILE, card)
        check_graph(folder / MODEL_FILE, card)
    return card


def check_cascade(path: Path, card: CascadeCard, catalogue: Path) -> None:
    """Compare the labels a cascade promises with those of the models it names in ``catalogue``.

    Raises:
        CardError: a model is missing, has another version or is no classifier, or labels differ.
    """
    first = _stage(path, card.first, catalogue)
    unknown = [category for category in card.then if category not in first.labels]
    if unknown:
        raise CardError(f"{path}: then names {', '.join(unknown)}; {first.tag} tells apart {', '.join(first.labels)}")
    labels = [label for tag in card.then.values() for label in _stage(path, tag, catalogue).labels]
    labels += [category for category in first.labels if category not in card.then]
    if card.labels != labels:
        raise CardError(
            f"{path}: labels must be those of the models in then, in order, and the categories without a model: "
            f"{', '.join(labels)}"
        )


def _stage(path: Path, tag: str, catalogue: Path) -> ModelCard:
    """The card of a cascade's model in ``catalogue``."""
    at = catalogue / tag.split(":")[0] / CARD_FILE
    if not at.is_file():
        raise CardError(f"{path}: names {tag}, which {catalogue} does not hold")
    card = read_card(at)
    if card.tag != tag:
        raise CardError(f"{path}: names {tag}, but {at} describes {card.tag}")
    if not isinstance(card, ModelCard):
        raise CardError(f"{path}: names {tag}, which is a cascade itself; only classifiers can be its models")
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

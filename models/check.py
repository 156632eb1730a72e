"""Does a card fit what it describes? Asked before a model is imported, and again of every file that is loaded."""

from pathlib import Path

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, file_sha256, read_card
from models.probe import WrongAnswer, check_answer
from models.trial import Finding, examine


def check_folder(folder: Path, catalogue: Path | None = None) -> Card:
    """Read CATALOGUE/NAME and check the card: of a classifier against the file beside it, of a cascade against its models.

    A classifier's hash, shapes and K labels are checked, and the file is run as ``models.trial`` says. A cascade's models are
    looked for in ``catalogue``, which is the folder that ``folder`` lies in when it is not given.

    Raises:
        CardError: with the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    if isinstance(card, CascadeCard):
        check_cascade(folder / CARD_FILE, card, catalogue or folder.resolve().parent)
    else:
        check_sha256(folder / MODEL_FILE, card)
        normalisation = card.input.normalisation
        check_fit(folder / MODEL_FILE, card, examine(folder / MODEL_FILE, mean=normalisation.mean, std=normalisation.std))
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


def check_fit(path: Path, card: ModelCard, finding: Finding) -> None:
    """Compare what the examination of a file found with what the card promises."""
    spec = card.input
    if (finding.channels, finding.size) != (spec.channels, spec.size):
        raise CardError(
            f"{path}: the input is {finding.channels}x{finding.size}x{finding.size}, "
            f"the card of {card.tag} says {spec.channels}x{spec.size}x{spec.size}"
        )
    if finding.labels != len(card.labels):
        raise CardError(f"{path}: tells {finding.labels} classes apart, the card of {card.tag} has {len(card.labels)} labels")
    try:
        check_answer(card, finding.probed)
    except WrongAnswer as error:
        raise CardError(f"{path}: {error}. Leave known_answer out to have it filled in.") from error

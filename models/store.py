"""The BentoML model store: models/NAME goes in, the service and the Bento load from there."""

import shutil
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, file_sha256, read_card
from models.check import check_folder, check_sha256

CATALOGUE = Path(__file__).parent


def catalogue() -> list[Path]:
    """The folders under models/ that hold a card, by name."""
    return sorted(path.parent for path in CATALOGUE.glob(f"*/{CARD_FILE}"))


def import_folder(folder: Path, *, replace: bool = False) -> tuple[ModelCard, bool]:
    """Check models/NAME and put it into the store as ``name:version``; what is there already is left alone.

    Returns:
        The card, and whether anything was written.

    Raises:
        CardError: the card does not fit the file, or the store holds other weights under the same version.
    """
    card = check_folder(folder)
    stored = stored_folder(card.tag)
    if stored is not None:
        same_model = (stored / MODEL_FILE).is_file() and file_sha256(stored / MODEL_FILE) == card.sha256
        if same_model and (stored / CARD_FILE).is_file() and read_card(stored / CARD_FILE) == card:
            return card, False
        if not same_model and not replace:
            raise CardError(
                f"{folder}: the model store holds another {card.tag}. Raise the version in the card, or import with --replace."
            )
        bentoml.models.delete(card.tag)
    with bentoml.models.create(card.tag, labels={"task": card.task}, metadata={"sha256": card.sha256}) as model:
        shutil.copy(folder / MODEL_FILE, model.path_of(MODEL_FILE))
        shutil.copy(folder / CARD_FILE, model.path_of(CARD_FILE))
    return card, True


def stored_folder(tag: str) -> Path | None:
    """Where ``name:version`` lies in the store, or None."""
    try:
        return Path(bentoml.models.get(tag).path)
    except NotFound:
        return None


def load_folder(folder: Path) -> ModelCard:
    """Read the card of a stored model and check that the file beside it is the one it describes.

    Raises:
        CardError: with the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    check_sha256(folder / MODEL_FILE, card)
    return card


def require(tag: str) -> Path:
    """Where ``name:version`` lies in the store, its file checked against its card.

    Raises:
        CardError: not imported, or changed since.
    """
    folder = stored_folder(tag)
    if folder is None:
        raise CardError(f"{tag} is not in the BentoML model store. Run `python -m models import` first.")
    load_folder(folder)
    return folder

"""The catalogue, a folder per model, and the BentoML model store: models go in, the service and the Bento load from there."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import bentoml
from bentoml.exceptions import NotFound

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, file_sha256, read_card
from models.check import check_sha256

CATALOGUE: Final = Path(__file__).parent
CATALOGUE_VARIABLE: Final = "CATALOGUE"


def catalogue_folder() -> Path:
    """The folder of the catalogue: what the environment variable ``CATALOGUE`` names, or models/ of the project."""
    named = os.environ.get(CATALOGUE_VARIABLE)
    return Path(named) if named else CATALOGUE


def catalogue(folder: Path | None = None) -> list[Path]:
    """The folders under ``folder`` that hold a card, by name; under ``catalogue_folder()`` when it is not given."""
    return sorted(path.parent for path in (folder or catalogue_folder()).glob(f"*/{CARD_FILE}"))


def cascades_last(folders: Iterable[Path]) -> list[Path]:
    """The folders in the order they can be imported in: cascades after the models they name."""
    return sorted(folders, key=lambda folder: isinstance(card_in(folder), CascadeCard))


def users_of(model: str, folder: Path) -> list[str]:
    """The cascades of a catalogue that name a model, given as ``name`` or ``name:version``."""
    cards = (card_in(one) for one in catalogue(folder))
    cascades = (card for card in cards if isinstance(card, CascadeCard))
    return [one.name for one in cascades if any(model in (tag, tag.split(":")[0]) for tag in (one.first, *one.then.values()))]


def put(folder: Path, card: Card, *, replace: bool = False) -> bool:
    """Copy a checked model into the store as ``name:version``; what is there already is left alone.

    Returns:
        Whether anything was written.

    Raises:
        CardError: the store holds another model under the same version, or lacks a cascade's model.
    """
    if isinstance(card, CascadeCard):
        _require_stages(card)
    if holds(card):
        return False
    stored = stored_folder(card.tag)
    if stored is not None:
        if not replace and not same_model(stored, card):
            raise CardError(
                f"{folder}: the model store holds another {card.tag}. Raise the version in the card, or import with --replace."
            )
        bentoml.models.delete(card.tag)
    metadata = {"sha256": card.sha256} if isinstance(card, ModelCard) else {}
    with bentoml.models.create(card.tag, labels={"task": card.task}, metadata=metadata) as model:
        for file in files(card):
            shutil.copy(folder / file, model.path_of(file))
    return True


def holds(card: Card) -> bool:
    """Whether this card and its model lie in the store."""
    stored = stored_folder(card.tag)
    return stored is not None and same_model(stored, card) and card_in(stored) == card


def drop(tag: str) -> None:
    """Take ``name:version`` out of the store."""
    bentoml.models.delete(tag)


def stored_tags(name: str) -> list[str]:
    """Every version of a model in the store, the newest last."""
    try:
        stored = bentoml.models.list(name)
    except NotFound:
        return []
    tags = (str(model.tag) for model in stored if Path(model.path_of(CARD_FILE)).is_file())
    return sorted(tags, key=lambda tag: version_numbers(tag.split(":")[1]))


def version_numbers(version: str) -> tuple[int, ...]:
    """A version to be compared."""
    return tuple(int(number) for number in version.split("."))


def files(card: Card) -> list[str]:
    """What lies in a model's folder."""
    return [CARD_FILE] if isinstance(card, CascadeCard) else [CARD_FILE, MODEL_FILE]


def same_model(folder: Path, card: Card) -> bool:
    """Whether a folder's model answers as the card's does: the same weights, or the same models in the same places."""
    if not all((folder / file).is_file() for file in files(card)):
        return False
    if isinstance(card, ModelCard):
        return file_sha256(folder / MODEL_FILE) == card.sha256
    there = card_in(folder)
    return isinstance(there, CascadeCard) and (there.first, there.then) == (card.first, card.then)


def card_in(folder: Path) -> Card | None:
    """The card in a folder, or None where there is none that can be read."""
    try:
        return read_card(folder / CARD_FILE)
    except CardError:
        return None


def stored_folder(tag: str) -> Path | None:
    """Where ``name:version`` lies in the store, or None."""
    try:
        return Path(bentoml.models.get(tag).path)
    except NotFound:
        return None


def load_folder(folder: Path) -> Card:
    """Read the card of a stored model and check that the file beside it, where it has one, is the one it describes.

    Raises:
        CardError: with the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    if isinstance(card, ModelCard):
        check_sha256(folder / MODEL_FILE, card)
    return card


def require(tag: str) -> Path:
    """Where ``name:version`` lies in the store, its file checked against its card; of a cascade its models too.

    Raises:
        CardError: not imported, or changed since.
    """
    folder = stored_folder(tag)
    if folder is None:
        raise CardError(f"{tag} is not in the BentoML model store. Run `python -m models import` first.")
    card = load_folder(folder)
    if isinstance(card, CascadeCard):
        _require_stages(card)
    return folder


def _require_stages(card: CascadeCard) -> None:
    """Refuse a cascade whose models are not in the store, or changed there."""
    for tag in dict.fromkeys((card.first, *card.then.values())):
        folder = stored_folder(tag)
        if folder is None:
            raise CardError(f"{card.tag} needs {tag}, which is not in the BentoML model store. Import it first.")
        load_folder(folder)

"""The catalogue (a folder per model) and the BentoML model store, from which the service loads its models."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import bentoml
from bentoml.exceptions import NotFound

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, SequenceCard, file_sha256, read_card
from models.validation import verify_sha256

CATALOGUE: Final = Path(__file__).parent
CATALOGUE_VARIABLE: Final = "CATALOGUE"
_IMPORT_ORDER: Final[dict[type, int]] = {CascadeCard: 1, SequenceCard: 2}


def catalogue_folder() -> Path:
    """The folder of the catalogue: the environment variable ``CATALOGUE``, or models/ of the project."""
    folder = os.environ.get(CATALOGUE_VARIABLE)
    return Path(folder) if folder else CATALOGUE


def card_folders(catalogue: Path | None = None) -> list[Path]:
    """The folders in a catalogue that have a card, sorted by name; by default in ``catalogue_folder()``."""
    return sorted(path.parent for path in (catalogue or catalogue_folder()).glob(f"*/{CARD_FILE}"))


def members_first(folders: Iterable[Path]) -> list[Path]:
    """Sort model folders for import: cascades, and then sequences, after the models they name."""
    return sorted(folders, key=lambda folder: _IMPORT_ORDER.get(type(card_or_none(folder)), 0))


def models_using(model: str, catalogue: Path) -> list[str]:
    """The names of a catalogue's cascades and sequences that use a model, given as ``name`` or ``name:version``."""
    cards = [card for card in map(card_or_none, card_folders(catalogue)) if card is not None]
    return [card.name for card in cards if any(model in (tag, tag.split(":")[0]) for tag in card.member_tags)]


def with_members(card: Card) -> list[str]:
    """The tags of all models that a card needs, also those of its members, and then its own.

    Raises:
        CardError: one is not in the store.
    """
    tags = [tag for member in card.member_tags for tag in with_members(read_card(_member_folder(card, member) / CARD_FILE))]
    return list(dict.fromkeys([*tags, card.tag]))


def save(folder: Path, card: Card, *, replace: bool = False) -> bool:
    """Copy a validated model to the store as ``name:version``, unless it is there already.

    Returns:
        Whether anything was written.

    Raises:
        CardError: the store holds another model with the same version, or lacks a model that the card names.
    """
    _require_members(card)
    if is_stored(card):
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
        for file in file_names(card):
            shutil.copy(folder / file, model.path_of(file))
    return True


def is_stored(card: Card) -> bool:
    """Whether the store holds this card and its model."""
    stored = stored_folder(card.tag)
    return stored is not None and same_model(stored, card) and card_or_none(stored) == card


def delete(tag: str) -> None:
    """Delete ``name:version`` from the store."""
    bentoml.models.delete(tag)


def stored_tags(name: str) -> list[str]:
    """The tags of a model's versions in the store, the newest last."""
    try:
        stored = bentoml.models.list(name)
    except NotFound:
        return []
    tags = (str(model.tag) for model in stored if Path(model.path_of(CARD_FILE)).is_file())
    return sorted(tags, key=lambda tag: parse_version(tag.split(":")[1]))


def parse_version(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(int(number) for number in version.split("."))


def file_names(card: Card) -> list[str]:
    """The names of the files that make up a model."""
    return [CARD_FILE, MODEL_FILE] if isinstance(card, ModelCard) else [CARD_FILE]


def same_model(folder: Path, card: Card) -> bool:
    """Whether a folder holds the model of this card: the same ONNX file, or for a cascade or a sequence the same models."""
    if not all((folder / file).is_file() for file in file_names(card)):
        return False
    if isinstance(card, ModelCard):
        return file_sha256(folder / MODEL_FILE) == card.sha256
    other = card_or_none(folder)
    if isinstance(card, CascadeCard):
        return isinstance(other, CascadeCard) and (other.first, other.then) == (card.first, card.then)
    return isinstance(other, SequenceCard) and other.reader == card.reader


def card_or_none(folder: Path) -> Card | None:
    """The card in a folder, or None where there is no valid one."""
    try:
        return read_card(folder / CARD_FILE)
    except CardError:
        return None


def stored_folder(tag: str) -> Path | None:
    """The folder of ``name:version`` in the store, or None."""
    try:
        return Path(bentoml.models.get(tag).path)
    except NotFound:
        return None


def load_card(folder: Path) -> Card:
    """Read the card in a model's folder and verify the SHA-256 of the ONNX file beside it.

    Raises:
        CardError: the card is invalid, or the file is not the one it describes.
    """
    card = read_card(folder / CARD_FILE)
    if isinstance(card, ModelCard):
        verify_sha256(folder / MODEL_FILE, card)
    return card


def verified_folder(tag: str) -> Path:
    """The folder of ``name:version`` in the store, after verifying its ONNX file, or those of the models it names.

    Raises:
        CardError: it is not in the store, or was changed.
    """
    folder = stored_folder(tag)
    if folder is None:
        raise CardError(f"{tag} is not in the BentoML model store. Run `python -m models import` first.")
    card = load_card(folder)
    _require_members(card)
    return folder


def _require_members(card: Card) -> None:
    """Verify that the models of a cascade or a sequence are in the store, unchanged.

    Raises:
        CardError: they are not.
    """
    for tag in dict.fromkeys(card.member_tags):
        _require_members(load_card(_member_folder(card, tag)))


def _member_folder(card: Card, tag: str) -> Path:
    """The folder in the store of a model that a card names.

    Raises:
        CardError: it is not there.
    """
    folder = stored_folder(tag)
    if folder is None:
        raise CardError(f"{card.tag} needs {tag}, which is not in the BentoML model store. Import it first.")
    return folder

"""Commands on imported models: list, export, restore, remove."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from models.card import CARD_FILE, Card, CardError, read_card
from models.card_fields import NAME, VERSION
from models.importer import import_folder
from models.store import (
    card_or_none,
    delete,
    file_names,
    is_stored,
    load_card,
    models_using,
    same_model,
    stored_folder,
    stored_tags,
)

REFERENCE: Final = re.compile(f"({NAME})(?::({VERSION}))?")


def list_models(folders: Iterable[Path]) -> Iterator[str]:
    """One line per model: tag, task, number of labels, whether it is in the store, title."""
    for folder in folders:
        try:
            card = read_card(folder / CARD_FILE)
        except CardError as error:
            yield f"{folder.name:24} cannot be read: {error}"
            continue
        stored = "in the store" if is_stored(card) else "not imported"
        yield f"{card.tag:24} {card.task:8} {len(card.labels):5} labels  {stored:12}  {card.title}"


def export_model(reference: str, target: Path, catalogue: Path) -> tuple[Card, Path]:
    """Copy NAME or NAME:VERSION to ``target``/NAME, from where it can be imported. It is taken from the catalogue or the store.

    Raises:
        CardError: it is in neither, was changed, or there is another model at ``target``/NAME.
    """
    name, version = _parse_reference(reference)
    source = _find(name, version, catalogue)
    card = load_card(source)
    folder = target / name
    if folder.exists() and any(folder.iterdir()) and not same_model(folder, card):
        raise CardError(f"{folder}: holds other files; export to another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for file in file_names(card):
        shutil.copyfile(source / file, folder / file)
    return card, folder


def restore_model(reference: str, catalogue: Path) -> Card:
    """Copy NAME:VERSION from the store to the catalogue, in place of any other version of NAME.

    Raises:
        CardError: it is not in the store, was changed, or a model of the catalogue names the other version.
    """
    name, version = _parse_reference(reference)
    folder = stored_folder(reference) if version else None
    if folder is None:
        stored = ", ".join(stored_tags(name))
        raise CardError(f"{reference} is not a version in the BentoML model store, which holds {stored or f'no {name}'}")
    return import_folder(folder, catalogue, replace=True).card


def remove_model(reference: str, catalogue: Path) -> list[str]:
    """Remove NAME, or NAME:VERSION, from the catalogue and the store; returns what was removed, as text.

    Raises:
        CardError: it is in neither, or a cascade or sequence of the catalogue names it.
    """
    name, version = _parse_reference(reference)
    folder = catalogue / name
    tags = [tag for tag in stored_tags(name) if version is None or tag == reference]
    in_catalogue = (folder / CARD_FILE).is_file() and version in (None, _version(folder))
    if not tags and not in_catalogue:
        raise CardError(f"{reference} is neither in {catalogue} nor in the BentoML model store")
    if users := models_using(reference, catalogue):
        raise CardError(f"{', '.join(users)} names {reference}; remove {', '.join(users)} first")
    for tag in tags:
        delete(tag)
    if in_catalogue:
        shutil.rmtree(folder)
    return [f"{tag} from the store" for tag in tags] + [f"{name} from {catalogue}"] * in_catalogue


def _find(name: str, version: str | None, catalogue: Path) -> Path:
    folder = catalogue / name
    if (folder / CARD_FILE).is_file() and version in (None, _version(folder)):
        return folder
    tags = stored_tags(name) if version is None else [f"{name}:{version}"]
    stored = stored_folder(tags[-1]) if tags else None
    if stored is None or not (stored / CARD_FILE).is_file():
        raise CardError(f"{name}{f':{version}' if version else ''} is neither in {catalogue} nor in the BentoML model store")
    return stored


def _version(folder: Path) -> str | None:
    card = card_or_none(folder)
    return card.version if card else None


def _parse_reference(reference: str) -> tuple[str, str | None]:
    match = REFERENCE.fullmatch(reference)
    if not match:
        raise CardError(f"{reference!r} is not a model: give NAME or NAME:VERSION, such as digits or digits:1.0.0")
    return match[1], match[2]

"""What is done with models that are there: listing, taking out, handing on."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from models.card import CARD_FILE, NAME, VERSION, Card, CardError, read_card
from models.imports import import_folder
from models.store import card_in, drop, files, holds, load_folder, same_model, stored_folder, stored_tags, users_of

NAMED: Final = re.compile(f"({NAME})(?::({VERSION}))?")


def listing(folders: Iterable[Path]) -> Iterator[str]:
    """A line per model."""
    for folder in folders:
        try:
            card = read_card(folder / CARD_FILE)
        except CardError as error:
            yield f"{folder.name:24} cannot be read: {error}"
            continue
        stored = "in the store" if holds(card) else "not imported"
        yield f"{card.tag:24} {card.task:8} {len(card.labels):5} labels  {stored:12}  {card.title}"


def export(wanted: str, target: Path, catalogue: Path) -> tuple[Card, Path]:
    """Write NAME or NAME:VERSION to ``target``/NAME, as ``import`` takes it back. The catalogue is asked first, then the store.

    Raises:
        CardError: it is in neither, changed since, or another model lies at ``target``/NAME.
    """
    name, version = _named(wanted)
    source = _place(name, version, catalogue)
    card = load_folder(source)
    folder = target / name
    if folder.exists() and any(folder.iterdir()) and not same_model(folder, card):
        raise CardError(f"{folder}: holds something else; export to another place")
    folder.mkdir(parents=True, exist_ok=True)
    for file in files(card):
        shutil.copyfile(source / file, folder / file)
    return card, folder


def restore(wanted: str, catalogue: Path) -> Card:
    """Take NAME:VERSION, which the store still holds, back into the catalogue, whatever version of NAME is there.

    Raises:
        CardError: the store does not hold it, it was changed since, or a cascade of the catalogue names the other version.
    """
    name, version = _named(wanted)
    folder = stored_folder(wanted) if version else None
    if folder is None:
        there = ", ".join(stored_tags(name))
        raise CardError(f"{wanted} is no version in the BentoML model store, which holds {there or f'no {name}'}")
    return import_folder(folder, catalogue, replace=True).card


def remove(wanted: str, catalogue: Path) -> list[str]:
    """Take NAME, or one version of it, out of the catalogue and the store; what was removed, in words.

    Raises:
        CardError: it is in neither, or a cascade of the catalogue names it.
    """
    name, version = _named(wanted)
    folder = catalogue / name
    tags = [tag for tag in stored_tags(name) if version is None or tag == wanted]
    here = (folder / CARD_FILE).is_file() and version in (None, _version(folder))
    if not tags and not here:
        raise CardError(f"{wanted} is neither in {catalogue} nor in the BentoML model store")
    if users := users_of(wanted, catalogue):
        raise CardError(f"{', '.join(users)} names {wanted}; remove {', '.join(users)} first")
    for tag in tags:
        drop(tag)
    if here:
        shutil.rmtree(folder)
    return [f"{tag} from the store" for tag in tags] + [f"{name} from {catalogue}"] * here


def _place(name: str, version: str | None, catalogue: Path) -> Path:
    folder = catalogue / name
    if (folder / CARD_FILE).is_file() and version in (None, _version(folder)):
        return folder
    tags = stored_tags(name) if version is None else [f"{name}:{version}"]
    stored = stored_folder(tags[-1]) if tags else None
    if stored is None or not (stored / CARD_FILE).is_file():
        raise CardError(f"{name}{f':{version}' if version else ''} is neither in {catalogue} nor in the BentoML model store")
    return stored


def _version(folder: Path) -> str | None:
    card = card_in(folder)
    return card.version if card else None


def _named(wanted: str) -> tuple[str, str | None]:
    match = NAMED.fullmatch(wanted)
    if not match:
        raise CardError(f"{wanted!r} is no model: give NAME or NAME:VERSION, such as digits or digits:1.0.0")
    return match[1], match[2]

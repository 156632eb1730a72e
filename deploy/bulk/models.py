"""The model of a run: the same files of the BentoML model store, and the same classes, as the service's."""

from dataclasses import dataclass
from pathlib import Path

from models.card import CARD_FILE, CardError, SequenceCard, file_sha256, read_card
from models.store import card_folders, catalogue_folder, file_names, verified_folder, with_members
from serving.inference.sequence import Model
from serving.registry.model_registry import EmbeddedRegistry
from serving.settings import Settings


@dataclass(frozen=True)
class ModelFiles:
    """A model in the store: its name and version; whether it is a sequence; the tags of it and of the models that it needs, and
    their folders where the run was started; and the SHA-256 of each of their files by ``TAG/FILE``."""

    name: str
    version: str
    is_sequence: bool
    folders: dict[str, Path]
    sha256: dict[str, str]


def find_model(name: str, settings: Settings) -> ModelFiles:
    """The model of the catalogue called ``name``, as it lies in the store.

    Raises:
        CardError: it is not in the catalogue, or not in the store, or was changed there.
    """
    cards = {card.name: card for card in (read_card(folder / CARD_FILE) for folder in card_folders(settings.catalogue))}
    if name not in cards:
        place = settings.catalogue or catalogue_folder()
        raise CardError(f"Unknown model {name!r}. The catalogue at {place} holds: {', '.join(cards) or 'no model'}.")
    card = cards[name]
    folders = {tag: verified_folder(tag) for tag in with_members(card)}
    return ModelFiles(name, card.version, isinstance(card, SequenceCard), folders, _file_hashes(folders))


def open_model(files: ModelFiles, settings: Settings) -> Model:
    """The model with its sessions, as an API worker has it: from the folders where the run was started, if they are here,
    otherwise from its own store. Asking the store imports half of BentoML, which takes as long as a thousand pictures.

    Raises:
        CardError: this machine holds other files than those of ``files``.
    """
    folders = {tag: folder if folder.is_dir() else verified_folder(tag) for tag, folder in files.folders.items()}
    found = _file_hashes(folders)
    differing = sorted(file for file, sha256 in files.sha256.items() if found.get(file) != sha256)
    if differing:
        raise CardError(
            f"The model store of this machine holds another {', '.join(differing)} than the machine that started the run. "
            "Import the same models on both."
        )
    return EmbeddedRegistry(folders.values(), settings).model(files.name)


def _file_hashes(folders: dict[str, Path]) -> dict[str, str]:
    return {
        f"{tag}/{file}": file_sha256(folder / file)
        for tag, folder in folders.items()
        for file in file_names(read_card(folder / CARD_FILE))
    }

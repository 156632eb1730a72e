"""The edition of the catalogue in service: which models, and which version of each."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from bentoml.models import BentoModel

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, read_card
from models.probe import WrongAnswer, ask
from models.store import catalogue, catalogue_folder, require
from serving.devices import CPU, Session
from serving.settings import Settings
from serving.workers import become_parent, has_parent, shared_folder

C = TypeVar("C", bound=type)
CHOSEN: Final = "IMAGE_CLASSIFIER_EDITION"
EDITION_FILE: Final = "edition.json"
MODEL_PREFIX: Final = "model_"


@dataclass(frozen=True, slots=True)
class Edition:
    """Models in service, as ``name:version``, and those that are to take their place when all workers have them ready.

    Editions are told apart by their numbers; that of the start is 0, and so is that of no proposal.
    """

    number: int = 0
    tags: list[str] = field(default_factory=list)
    proposed: int = 0
    proposed_tags: list[str] = field(default_factory=list)


def edition_in_service(settings: Settings) -> tuple[Edition, dict[str, Card]]:
    """What this process is to serve, and the cards of it by name.

    The parent takes what the catalogue holds, ends with one line unless all of it can be served, and leaves the choice to its
    workers in the environment: one that starts later serves what the others do, whatever lies in the catalogue by then.
    """
    try:
        if edition := _chosen_by_parent():
            return edition, cards_of(edition.tags)
        cards = checked_cards(settings)
        if settings.device != "gpu":
            prove(cards.values())
    except CardError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    tags = [card.tag for card in cards.values()]
    os.environ[CHOSEN] = " ".join(tags)
    become_parent()
    return Edition(tags=tags), cards


def read_edition(folder: Path) -> Edition | None:
    """What the workers that share ``folder`` have decided and proposed; nothing before the first change."""
    content = read_json(folder / EDITION_FILE)
    return Edition(**content) if content else None


def write_edition(folder: Path, edition: Edition) -> None:
    """Tell the workers that share ``folder``."""
    write_json(folder / EDITION_FILE, asdict(edition))


def read_json(path: Path) -> dict[str, Any] | None:
    """What ``write_json`` wrote, if anybody did."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file that others read meanwhile: they find what was there before, or all of this."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(content), encoding="utf-8")
    new.replace(path)


def checked_cards(settings: Settings) -> dict[str, Card]:
    """The cards of the catalogue by name, as they lie in the store.

    Raises:
        CardError: a model does not lie there or was changed, a cascade's model is not in the catalogue too, or the default
            model is not.
    """
    cards = cards_of(read_card(folder / CARD_FILE).tag for folder in catalogue(settings.catalogue))
    tags = {card.tag for card in cards.values() if isinstance(card, ModelCard)}
    for card in cards.values():
        if isinstance(card, CascadeCard) and (missing := {card.first, *card.then.values()} - tags):
            raise CardError(f"{card.tag} needs {', '.join(sorted(missing))}, which the catalogue does not hold.")
    if settings.default_model not in cards:
        there = f"There are: {', '.join(cards)}." if cards else "It holds no card.yaml."
        place = settings.catalogue or catalogue_folder()
        raise CardError(f"DEFAULT_MODEL={settings.default_model!r} is not in the catalogue at {place}. {there}")
    return cards


def cards_of(tags: Iterable[str]) -> dict[str, Card]:
    """The cards in the store of models given as ``name:version``, by name.

    Raises:
        CardError: one is not there or was changed, or two have the same name.
    """
    cards: dict[str, Card] = {}
    for tag in tags:
        card = read_card(require(tag) / CARD_FILE)
        if card.name in cards:
            raise CardError(f"The catalogue holds two models called {card.name}: {cards[card.name].tag} and {card.tag}.")
        cards[card.name] = card
    return cards


def folders_of(tags: Iterable[str]) -> list[Path]:
    """Where models given as ``name:version`` lie in the store.

    Raises:
        CardError: one is not there or was changed.
    """
    return [require(tag) for tag in tags]


def prove(cards: Iterable[Card]) -> None:
    """Have every classifier answer the picture its card knows the answer to, on the CPU.

    Raises:
        CardError: one cannot, or answers otherwise.
    """
    for card in cards:
        if isinstance(card, ModelCard):
            try:
                ask(card, Session(require(card.tag) / MODEL_FILE, CPU, threads=1).run)
            except WrongAnswer as error:
                raise CardError(f"{error}.") from error
            except Exception as error:  # onnxruntime's own classes share no base
                raise CardError(f"{card.tag} cannot be loaded: {' '.join(str(error).split())}") from error


def _chosen_by_parent() -> Edition | None:
    """What the parent of this worker chose, or a change since; nothing in a parent."""
    if not has_parent():
        return None
    folder = shared_folder()
    return (read_edition(folder) if folder else None) or Edition(tags=os.environ[CHOSEN].split())


def with_models(cards: dict[str, Card]) -> Callable[[C], C]:
    """Gives a service's class its models and cascades of the store, which is how BentoML knows what belongs into the Bento."""

    def decorate(service: C) -> C:
        for card in cards.values():
            setattr(service, MODEL_PREFIX + card.name.replace("-", "_"), BentoModel(card.tag))
        return service

    return decorate


def model_folders(service: object) -> list[Path]:
    """Where the models of a service that ``with_models`` gave them to lie, in the order of their names."""
    names = sorted(name for name in dir(type(service)) if name.startswith(MODEL_PREFIX))
    return [Path(getattr(service, name).path) for name in names]

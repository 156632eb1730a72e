"""The model set in service: which models, in which versions; chosen by the parent, replaced by reloads."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from bentoml.models import BentoModel

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, ModelCard, read_card
from models.golden import GoldenOutputMismatch, verify_session
from models.store import card_folders, catalogue_folder, verified_folder
from serving.inference.sessions import CPU, Session
from serving.process.workers import has_parent, shared_folder
from serving.registry.reload_state import ReloadState
from serving.settings import Settings

C = TypeVar("C", bound=type)
MODELS_VARIABLE: Final = "IMAGE_CLASSIFIER_MODELS"
MODEL_SET_FILE: Final = "model-set-{}.json"
MODEL_PREFIX: Final = "model_"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Models that are served together, as ``name:version``. Each reload has a new generation; that of the start is 0."""

    generation: int = 0
    tags: list[str] = field(default_factory=list)


def model_set_in_service(settings: Settings) -> tuple[ModelSet, dict[str, Card]]:
    """The models that this process serves, and their cards by name.

    The parent takes what the catalogue holds, exits with one line unless all of it can be served, and passes the choice to its
    workers in the environment: a worker that starts later serves what the others do, whatever the catalogue holds by then.
    """
    try:
        if has_parent() and MODELS_VARIABLE in os.environ:
            model_set = _last_reload(settings) or ModelSet(tags=os.environ[MODELS_VARIABLE].split())
            return model_set, cards_of(model_set.tags)
        cards = checked_cards(settings)
        if settings.device != "gpu":
            verify_golden_outputs(cards.values())
    except CardError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    tags = [card.tag for card in cards.values()]
    os.environ[MODELS_VARIABLE] = " ".join(tags)
    return ModelSet(tags=tags), cards


def write_model_set(folder: Path, model_set: ModelSet) -> None:
    """Write a model set for the workers that share ``folder``, atomically.

    Raises:
        OSError: it cannot be written, for example on a full disk.
    """
    file = _file(folder, model_set.generation)
    new = file.with_suffix(".new")
    try:
        new.write_text(json.dumps(asdict(model_set)), encoding="utf-8")
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def read_model_set(folder: Path, generation: int) -> ModelSet:
    """Read the model set of a generation, written by one of the workers that share ``folder``.

    Raises:
        OSError: it cannot be read.
    """
    return ModelSet(**json.loads(_file(folder, generation).read_text(encoding="utf-8")))


def remove_model_sets(folder: Path, *, keep: int) -> None:
    """Remove the files of all model sets but that of one generation."""
    for file in folder.glob(MODEL_SET_FILE.format("*")):
        if file != _file(folder, keep):
            file.unlink(missing_ok=True)


def _file(folder: Path, generation: int) -> Path:
    return folder / MODEL_SET_FILE.format(generation)


def _last_reload(settings: Settings) -> ModelSet | None:
    """The model set of the last reload; None before the first."""
    folder = shared_folder()
    if folder is None:
        return None
    state = ReloadState.shared(folder, settings.workers)
    while generation := state.serving:
        try:
            return read_model_set(folder, generation)
        except OSError as error:
            if state.serving == generation:  # otherwise another reload removed the file
                raise CardError(f"The model set {generation} of the last reload cannot be read: {error}") from error
    return None


def checked_cards(settings: Settings) -> dict[str, Card]:
    """The cards of the catalogue by name, as they lie in the store.

    Raises:
        CardError: a model does not lie there or was changed, one that a card names is not in the catalogue too, or the default
            model is not.
    """
    cards = cards_of(read_card(folder / CARD_FILE).tag for folder in card_folders(settings.catalogue))
    tags = {card.tag for card in cards.values()}
    for card in cards.values():
        if missing := set(card.member_tags) - tags:
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
        card = read_card(verified_folder(tag) / CARD_FILE)
        if card.name in cards:
            raise CardError(f"The catalogue holds two models called {card.name}: {cards[card.name].tag} and {card.tag}.")
        cards[card.name] = card
    return cards


def folders_of(tags: Iterable[str]) -> list[Path]:
    """The folders in the store of models given as ``name:version``.

    Raises:
        CardError: one is not there or was changed.
    """
    return [verified_folder(tag) for tag in tags]


def verify_golden_outputs(cards: Iterable[Card]) -> None:
    """Check that each classifier reproduces the golden output of its card, on the CPU.

    Raises:
        CardError: one fails, or computes something else.
    """
    for card in cards:
        if isinstance(card, ModelCard):
            try:
                verify_session(card, session_of(card).run)
            except GoldenOutputMismatch as error:
                raise CardError(f"{error}.") from error
            except Exception as error:  # onnxruntime's own classes share no base
                raise CardError(f"{card.tag} cannot be loaded: {' '.join(str(error).split())}") from error


def session_of(card: ModelCard) -> Session:
    """A session on the CPU, with one thread, of a model in the store."""
    return Session(verified_folder(card.tag) / MODEL_FILE, CPU, 1, card.output, card.fixed_batch)


def with_models(cards: dict[str, Card]) -> Callable[[C], C]:
    """Class decorator that adds the models of the store as attributes, by which BentoML knows what belongs into a Bento."""

    def decorate(service: C) -> C:
        for card in cards.values():
            setattr(service, MODEL_PREFIX + card.name.replace("-", "_"), BentoModel(card.tag))
        return service

    return decorate


def model_folders(service: object) -> list[Path]:
    """The folders of the models that ``with_models`` added to a service's class, by name."""
    names = sorted(name for name in dir(type(service)) if name.startswith(MODEL_PREFIX))
    return [Path(getattr(service, name).path) for name in names]

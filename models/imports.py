"""Models on their way in: from a folder or an ONNX file to the catalogue and to the store."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, ModelCard, read_card, write_card
from models.check import check_fit, check_folder, check_sha256
from models.draft import Fields, drafted, normalisation
from models.pictures import worth
from models.store import card_in, files, holds, put, same_model, users_of, version_numbers
from models.trial import examine


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that came in: whether anything was written, and what its owner should know."""

    card: Card
    written: bool
    remarks: list[str] = field(default_factory=list)


def import_folder(folder: Path, catalogue: Path, *, replace: bool = False) -> Imported:
    """Check a model's folder and put it into the store, and into the catalogue where it lies elsewhere.

    What is in both already is not checked again.

    Raises:
        CardError: the card does not fit, or another model of the name is there (see ``put`` and ``admit``).
    """
    card = read_card(folder / CARD_FILE)
    inside = folder.resolve().parent == catalogue.resolve()
    if inside and folder.resolve().name != card.name:
        raise CardError(f"{folder}: the folder of {card.name} must be called {card.name}")
    if isinstance(card, ModelCard) and inside and holds(card):
        check_sha256(folder / MODEL_FILE, card)
        return Imported(card, written=False)
    check_folder(folder, catalogue)
    if inside:
        return Imported(card, put(folder, card, replace=replace))
    admit(card, catalogue, replace=replace)
    with _arriving(catalogue) as new:
        for file in files(card):
            shutil.copyfile(folder / file, new / file)
        return Imported(card, _settle(new, card, catalogue, replace=replace))


def import_file(
    path: Path,
    given: Fields,
    catalogue: Path,
    *,
    named: Path | None = None,
    pictures: Path | None = None,
    replace: bool = False,
) -> Imported:
    """Check an ONNX file, make it fit to be served, complete its card, and put both into the catalogue and the store.

    ``given`` are the fields of the card its owner tells, read from ``named`` where there is such a file. With ``pictures``
    the model is calibrated and measured on that folder.

    Raises:
        CardError: the file or the card is refused, or another model of the name is there.
    """
    named = named or path
    if missing := [key for key in ("name", "labels") if key not in given]:
        raise CardError(f"{named}: {' and '.join(missing)} must be given, as options or in a card")
    levels = normalisation(given, named)
    with _arriving(catalogue) as new:
        model = new / MODEL_FILE
        finding = examine(path, rewritten=model, mean=levels.mean, std=levels.std)
        card = drafted(given, finding, path, model, named)
        check_fit(path, card, finding)
        admit(card, catalogue, replace=replace)
        remarks = [*finding.changes, "the same answers alone and in batches", finding.cost]
        if pictures:
            found = worth(model, card.input, card.labels, pictures)
            card = card.model_copy(
                update={"calibration": found.calibration, "rejection": found.rejection, "metrics": [found.metrics]}
            )
            remarks += [*found.remarks, _measured(card)]
        elif not card.metrics:
            remarks.append(
                f"not measured (--pictures does that): temperature {card.calibration.temperature:g}, rejected below a "
                f"{card.rejection.score} of {card.rejection.threshold:g}"
            )
        write_card(card, new / CARD_FILE)
        return Imported(card, _settle(new, card, catalogue, replace=replace), remarks)


def admit(card: Card, catalogue: Path, *, replace: bool) -> None:
    """Refuse a model whose place in the catalogue is taken by another.

    A higher version and another card of the same model may take it, with ``replace`` any model, but none whose name is no more
    what a cascade of the catalogue takes it for.
    """
    folder = catalogue / card.name
    if not folder.exists():
        return
    there = card_in(folder)
    newer = there is not None and version_numbers(card.version) > version_numbers(there.version)
    again = there is not None and card.tag == there.tag and same_model(folder, card)
    if not (newer or again or replace):
        held = there.tag if there else "something that is no model"
        raise CardError(f"{folder}: holds {held}. Give another name or a higher version, or import with --replace.")
    users = users_of(card.name, catalogue)
    if users and there is not None and (card.tag, card.labels) != (there.tag, there.labels):
        raise CardError(f"{folder}: {', '.join(users)} names {there.tag}. Give another name, or remove {users[0]} first.")


def _settle(new: Path, card: Card, catalogue: Path, *, replace: bool) -> bool:
    """Put a checked model into the store and move it into its place in the catalogue; whether anything was written."""
    target = catalogue / card.name
    written = put(new, card, replace=replace)
    if same_model(target, card):  # only the card is new: what else lies there stays
        if read_card(target / CARD_FILE) == card:
            return written
        (new / CARD_FILE).replace(target / CARD_FILE)
        return True
    if target.exists():
        target.rename(new.parent / "old")
    new.rename(target)
    return True


@contextmanager
def _arriving(catalogue: Path) -> Iterator[Path]:
    """A folder for a new model in the catalogue, not yet seen as one."""
    catalogue.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=catalogue, prefix=".arriving-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        yield new


def _measured(card: ModelCard) -> str:
    found = card.metrics[0]
    return (
        f"{found.accuracy:.2%} of {found.n} pictures right, ECE {found.ece:.2%}, "
        f"temperature {card.calibration.temperature:g}, rejection below {card.rejection.threshold:g}"
    )

"""Imports a model from a folder or an ONNX file into the catalogue and the BentoML model store."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, ModelCard, read_card, write_card
from models.card_builder import MAX_REMARK, build_card, hints_of
from models.card_fields import NAME
from models.card_options import Fields, merge
from models.evaluation import evaluate, open_model
from models.labels import make_distinct
from models.pictures import folder_labels, unseen_pictures
from models.preprocessing_search import find_preprocessing
from models.sandbox import ModelReport, inspect_model
from models.store import card_or_none, file_names, is_stored, models_using, parse_version, same_model, save
from models.validation import validate_folder, validate_model, verify_sha256


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import: the card, whether anything was written, and remarks for the user."""

    card: Card
    written: bool
    remarks: list[str] = field(default_factory=list)


def import_folder(folder: Path, catalogue: Path, *, replace: bool = False) -> ImportResult:
    """Validate a model's folder and copy it to the store, and to the catalogue if it lies elsewhere.

    A classifier that is in both already is not validated again.

    Raises:
        CardError: the card does not match, or another model has the name (see ``save`` and ``check_name_available``).
    """
    card = read_card(folder / CARD_FILE)
    inside = folder.resolve().parent == catalogue.resolve()
    if inside and folder.resolve().name != card.name:
        raise CardError(f"{folder}: the folder of {card.name} must be called {card.name}")
    if isinstance(card, ModelCard) and inside and is_stored(card):
        verify_sha256(folder / MODEL_FILE, card)
        return ImportResult(card, written=False)
    validate_folder(folder, catalogue)
    if inside:
        return ImportResult(card, save(folder, card, replace=replace))
    check_name_available(card, catalogue, replace=replace)
    with _staging_folder(catalogue) as new:
        for file in file_names(card):
            shutil.copyfile(folder / file, new / file)
        return ImportResult(card, _install(new, card, catalogue, replace=replace))


def import_file(
    path: Path,
    given: Fields,
    catalogue: Path,
    *,
    card_path: Path | None = None,
    pictures: Path | None = None,
    replace: bool = False,
) -> ImportResult:
    """Validate an ONNX file, change it where it must be to be served, build its card, and import both.

    ``given`` are the fields of the card that its owner sets, read from ``card_path`` if there is such a file. With ``pictures``
    the model is calibrated and evaluated on that folder.

    Raises:
        CardError: the file or the card is invalid, or another model has the name.
    """
    card_path = card_path or path
    if "name" not in given:
        raise CardError(f"{card_path}: name must be given, as an option (--name) or in a card")
    if not re.fullmatch(NAME, str(given["name"])):
        raise CardError(
            f"{card_path}: {given['name']!r} is not a name: take a-z, 0-9 and -, a letter first, such as my-model-2"
        )
    hints = hints_of(given, card_path)
    with _staging_folder(catalogue) as new:
        model = new / MODEL_FILE
        report = inspect_model(path, hints, output=model)
        given, origin, assumed_labels = _with_labels(given, report, card_path, pictures)
        report = report.model_copy(update={"assumptions": [*assumed_labels, *report.assumptions]})
        card = build_card(given, report, path, model, card_path)
        validate_model(path, card, report)
        searched: list[str] = []
        labelled = unseen_pictures(pictures, card.labels) if pictures else None
        if labelled and (found := find_preprocessing(open_model(model, card), card, given, labelled, _milliseconds(report))):
            given, searched = merge(given, {"input": found.fields}), found.remarks
            report = inspect_model(path, hints_of(given, card_path), output=model)
            report = report.model_copy(update={"assumptions": [*assumed_labels, *report.assumptions]})
            card = build_card(given, report, path, model, card_path)
            card = card.model_copy(update={"remarks": [*(line[:MAX_REMARK] for line in searched), *card.remarks]})
        check_name_available(card, catalogue, replace=replace)
        assumed = [
            f"assumed: {line}"
            for line in card.remarks[len(searched) :]
            if report.fixed_batch is None or line != card.remarks[-1]
        ]
        batch = [card.remarks[-1]] if report.fixed_batch else ["outputs verified equal at every batch size"]
        remarks = [*report.changes, *origin, *searched, *assumed, *batch, report.cost]
        if labelled:
            evaluation = evaluate(model, card, labelled)
            card = card.model_copy(
                update={
                    "calibration": evaluation.calibration,
                    "rejection": evaluation.rejection,
                    "metrics": [evaluation.metrics],
                    "reference": evaluation.reference,
                }
            )
            remarks += [*labelled.remarks, *evaluation.remarks, _metrics_line(card)]
        elif not card.metrics:
            remarks.append(
                f"not evaluated (use --pictures): temperature {card.calibration.temperature:g}, images with a "
                f"{card.rejection.score} below {card.rejection.threshold:g} are rejected"
            )
        write_card(card, new / CARD_FILE)
        return ImportResult(card, _install(new, card, catalogue, replace=replace), remarks)


def check_name_available(card: Card, catalogue: Path, *, replace: bool) -> None:
    """Reject a model whose name belongs to another model of the catalogue.

    A higher version, or another card of the same model, may replace it; with ``replace`` any model. A model that a cascade or
    a sequence of the catalogue names can only be replaced by one with the same tag and labels.

    Raises:
        CardError: the name is taken.
    """
    folder = catalogue / card.name
    if not folder.exists():
        return
    existing = card_or_none(folder)
    newer = existing is not None and parse_version(card.version) > parse_version(existing.version)
    same = existing is not None and card.tag == existing.tag and same_model(folder, card)
    if not (newer or same or replace):
        content = existing.tag if existing else "files that are not a model"
        raise CardError(f"{folder}: holds {content}. Give another name or a higher version, or import with --replace.")
    users = models_using(card.name, catalogue)
    if users and existing is not None and (card.tag, card.labels) != (existing.tag, existing.labels):
        raise CardError(f"{folder}: {', '.join(users)} names {existing.tag}. Give another name, or remove {users[0]} first.")


def _install(new: Path, card: Card, catalogue: Path, *, replace: bool) -> bool:
    """Copy a validated model to the store and move it into the catalogue; whether anything was written."""
    target = catalogue / card.name
    written = save(new, card, replace=replace)
    if same_model(target, card):  # only the card is new: other files in the folder stay
        if read_card(target / CARD_FILE) == card:
            return written
        (new / CARD_FILE).replace(target / CARD_FILE)
        return True
    if target.exists():
        target.rename(new.parent / "old")
    new.rename(target)
    return True


@contextmanager
def _staging_folder(catalogue: Path) -> Iterator[Path]:
    """A temporary folder in the catalogue, in which a new model is prepared."""
    catalogue.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=catalogue, prefix=".arriving-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        yield new


def _with_labels(
    given: Fields, report: ModelReport, card_path: Path, pictures: Path | None
) -> tuple[Fields, list[str], list[str]]:
    """The given fields with labels, remarks where the graph names them, and an assumption where nothing does.

    Raises:
        CardError: the graph names more or fewer than it scores.
    """
    if "labels" in given:
        return given, [], []
    if not report.labels:
        numbers = [str(index) for index in range(report.columns)]
        folders = folder_labels(pictures) if pictures and pictures.is_dir() else []
        if len(folders) == report.columns and set(folders) != set(numbers):
            assumed = "the labels are the folders of pictures, in alphabetical order (--labels)"
            return {**given, "labels": folders}, [], [assumed]
        return {**given, "labels": numbers}, [], [f"the labels are the numbers 0 to {numbers[-1]} (--labels)"]
    if len(report.labels) != report.columns:
        raise CardError(
            f"{card_path}: the model scores {report.columns} labels, but its file names {len(report.labels)}; "
            "give them with --labels or in a card"
        )
    labels, remarks = make_distinct(report.labels)
    return {**given, "labels": labels}, [f"{len(labels)} labels taken from the graph", *remarks], []


def _milliseconds(report: ModelReport) -> float:
    """The time of one image in the largest batch that was measured."""
    return min(report.latency_ms.values(), default=0.0)


def _metrics_line(card: ModelCard) -> str:
    metrics = card.metrics[0]
    return (
        f"accuracy {metrics.accuracy:.2%} on {metrics.n} pictures, ECE {metrics.ece:.2%}, "
        f"temperature {card.calibration.temperature:g}, rejection below {card.rejection.threshold:g}"
    )

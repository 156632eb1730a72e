"""Validates a model's card against its ONNX file, or the card of a cascade or a sequence against the models it names."""

from pathlib import Path
from typing import Any

from models.card import CARD_FILE, MODEL_FILE, Card, CardError, CascadeCard, ModelCard, SequenceCard, file_sha256, read_card
from models.golden import GoldenOutputMismatch, verify_golden_output
from models.sandbox import Hints, InputHints, ModelReport, OutputHints, inspect_model


def validate_folder(folder: Path, catalogue: Path | None = None) -> Card:
    """Read the card in a model's folder and validate it against the ONNX file, or against the models that it names.

    A classifier's hash, input shape and number of labels are compared, and the file is inspected in a sandbox. The models of a
    cascade or a sequence are looked up in ``catalogue``, by default the parent of ``folder``.

    Raises:
        CardError: the card does not match; the text has the file and the reason.
    """
    card = read_card(folder / CARD_FILE)
    if isinstance(card, CascadeCard):
        validate_cascade(folder / CARD_FILE, card, catalogue or folder.resolve().parent)
    elif isinstance(card, SequenceCard):
        validate_sequence(folder / CARD_FILE, card, catalogue or folder.resolve().parent)
    else:
        verify_sha256(folder / MODEL_FILE, card)
        report = inspect_model(folder / MODEL_FILE, hints_of_card(card))
        validate_model(folder / MODEL_FILE, card, report)
    return card


def validate_cascade(path: Path, card: CascadeCard, catalogue: Path) -> None:
    """Compare the labels of a cascade with those of the models it names, which lie in ``catalogue``.

    Raises:
        CardError: a model is missing, has another version or is not a classifier, or labels differ.
    """
    first, *rest = members = [_classifier(path, tag, catalogue) for tag in card.member_tags]
    unknown = [category for category in card.then if category not in first.labels]
    if unknown:
        raise CardError(f"{path}: then names {', '.join(unknown)}, but the labels of {first.tag} are {', '.join(first.labels)}")
    for member in members:
        _require_one_label(path, member, "a cascade")
    labels = [label for member in rest for label in member.labels]
    labels += [category for category in first.labels if category not in card.then]
    if card.labels != labels:
        raise CardError(
            f"{path}: labels must be those of the models in then, in order, and the categories without a model: "
            f"{', '.join(labels)}"
        )


def validate_sequence(path: Path, card: SequenceCard, catalogue: Path) -> None:
    """Compare a sequence with the model that reads its characters, which lies in ``catalogue``.

    Raises:
        CardError: the model is missing, has another version, is a sequence too, or is not one of ink whose probabilities sum to
            1; or the labels are not those of its labels that are one character.
    """
    reader = _member(path, card.reader, catalogue)
    if isinstance(reader, SequenceCard):
        raise CardError(f"{path}: names {reader.tag}, which is a sequence; a sequence needs a classifier or a cascade")
    members = [reader] if isinstance(reader, ModelCard) else [_classifier(path, tag, catalogue) for tag in reader.member_tags]
    for member in members:
        _require_one_label(path, member, "a sequence")
        if member.input.geometry.subject != "ink":
            raise CardError(f"{path}: names {reader.tag}, and {member.tag} takes no ink; a sequence is read from ink alone")
    labels = [label for label in reader.labels if len(label) == 1]
    if card.labels != labels:
        raise CardError(f"{path}: labels must be those of {reader.tag} that are one character: {', '.join(labels) or 'none'}")


def _member(path: Path, tag: str, catalogue: Path) -> Card:
    """The card of a model that another card names."""
    model_path = catalogue / tag.split(":")[0] / CARD_FILE
    if not model_path.is_file():
        raise CardError(f"{path}: names {tag}, which is not in {catalogue}")
    card = read_card(model_path)
    if card.tag != tag:
        raise CardError(f"{path}: names {tag}, but {model_path} describes {card.tag}")
    return card


def _classifier(path: Path, tag: str, catalogue: Path) -> ModelCard:
    """The card of a classifier that a cascade names."""
    card = _member(path, tag, catalogue)
    if not isinstance(card, ModelCard):
        raise CardError(f"{path}: names {tag}, which is a {card.task}; a cascade can only use classifiers")
    return card


def _require_one_label(path: Path, card: ModelCard, user: str) -> None:
    """Refuse a model of many labels a picture for ``user``, which combines probabilities."""
    if card.output.multi_label:
        raise CardError(
            f"{path}: names {card.tag}, whose labels are each for themselves; {user} needs probabilities that sum to 1"
        )


def verify_sha256(path: Path, card: ModelCard) -> None:
    """Verify that a file exists and is the one the card describes.

    Raises:
        CardError: it is not.
    """
    if not path.is_file():
        raise CardError(f"{path}: missing, but the card of {card.tag} describes it")
    found = file_sha256(path)
    if found != card.sha256:
        raise CardError(f"{path}: sha256 is {found}, the card of {card.tag} says {card.sha256}")


def hints_of_card(card: ModelCard) -> Hints:
    """What a card says about its model, which is inspected accordingly."""
    known = card.input.model_dump(mode="json", include=set(InputHints.model_fields))
    output = OutputHints.model_validate(card.output.model_dump())
    return Hints(input=InputHints.model_validate(known), output=output, labels=len(card.labels), fixed_batch=card.fixed_batch)


def validate_model(path: Path, card: ModelCard, report: ModelReport) -> None:
    """Compare the report on an ONNX file with the card.

    Raises:
        CardError: input shape, number of labels or golden output differ.
    """
    described = card.input.model_dump(mode="json", exclude={"geometry"})
    if different := [name for name in described if report.input[name] != described[name]]:
        found, said = ({name: fields[name] for name in different} for fields in (report.input, described))
        raise CardError(f"{path}: the input has {_shown(found)}, the card of {card.tag} says {_shown(said)}")
    if report.output != card.output:
        found, said = report.output.model_dump(), card.output.model_dump()
        raise CardError(f"{path}: the output has {_shown(found)}, the card of {card.tag} says {_shown(said)}")
    if report.fixed_batch != card.fixed_batch:
        raise CardError(f"{path}: needs fixed_batch {report.fixed_batch}, the card of {card.tag} says {card.fixed_batch}")
    if report.columns != len(card.labels):
        raise CardError(f"{path}: returns {report.columns} scores, the card of {card.tag} has {len(card.labels)} labels")
    try:
        verify_golden_output(card, report.golden_output)
    except GoldenOutputMismatch as error:
        raise CardError(f"{path}: {error}. Leave known_answer out to have it filled in.") from error


def _shown(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())

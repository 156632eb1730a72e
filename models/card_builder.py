"""Builds the card of an imported model from the fields its owner gives and from defaults."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from models import yaml_reader
from models.card import CardError, ModelCard, file_sha256, format_errors, parse_card
from models.golden import golden_output
from models.sandbox import ModelReport
from models.yaml_reader import YamlError
from preprocessing import Normalisation

RANGE: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})|([A-Za-z])-([A-Za-z])")
UNKNOWN: Final = "not told"
NO_NORMALISATION: Final = {"mean": 0.0, "std": 1.0}

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardOption:
    """A command-line option that sets a field of the card; ``field`` is the path to it."""

    field: tuple[str, ...]
    help: str
    type: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    action: str = "store"


_GEOMETRY: Final = ("input", "geometry")
OPTIONS: Final = {
    "name": CardOption(("name",), "the name in requests, such as mnist-12"),
    "version": CardOption(("version",), "1.0.0 by default"),
    "title": CardOption(("title",), "the name for people; equal to the name by default"),
    "licence": CardOption(("licence",), "licence of the weights"),
    "data": CardOption(("provenance", "data"), "the training data; may be given more than once", action="append"),
    "subject": CardOption((*_GEOMETRY, "subject"), "ink (default) or object", choices=("ink", "object")),
    "fit_box": CardOption(
        (*_GEOMETRY, "fit_box"),
        "pixels of the longer side; by default 20/28 of the input for ink, all for an object",
        type=int,
    ),
    "centring": CardOption((*_GEOMETRY, "centring"), "by default mass for ink, box for an object", choices=("mass", "box")),
    "polarity": CardOption((*_GEOMETRY, "polarity"), "light_on_dark by default", choices=("light_on_dark", "dark_on_light")),
    "mean": CardOption(("input", "normalisation", "mean"), "subtracted from pixels 0..1; 0 by default", type=float),
    "std": CardOption(("input", "normalisation", "std"), "divides pixels 0..1; 1 by default", type=float),
}


def fields_from_options(options: Mapping[str, Any]) -> Fields:
    """The fields of a card that command-line options set."""
    fields: Fields = {}
    for name, option in OPTIONS.items():
        value: Any = options.get(name)
        if value is not None:
            for key in reversed(option.field):
                value = {key: value}
            fields = merge(fields, value)
    return fields


def parse_labels(text: str) -> list[str]:
    """Parse labels: ``cat,dog``, ranges such as ``0-9`` or ``0-9,A-Z``, or the name of a text file with one label per line.

    Raises:
        CardError: a file that cannot be read, or a word that is none of these.
    """
    path = Path(text)
    if "," not in text and not RANGE.fullmatch(text):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CardError(f"--labels {text}: neither labels with commas, nor a range, nor a readable file") from error
        return [line.strip() for line in lines if line.strip()]
    return [label for part in text.split(",") for label in _expand_range(part.strip())]


def _expand_range(part: str) -> list[str]:
    match = RANGE.fullmatch(part)
    if not match:
        return [part]
    if match[1]:
        return [str(number) for number in range(int(match[1]), int(match[2]) + 1)]
    return [chr(code) for code in range(ord(match[3]), ord(match[4]) + 1)]


def read_partial_card(path: Path) -> Fields:
    """Read a card that may lack fields.

    Raises:
        CardError: it cannot be read, or is not the card of a classifier.
    """
    try:
        content = yaml_reader.load(yaml_reader.read_text(path))
    except (OSError, YamlError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CardError(f"{path}: is not a card; a card is a mapping of fields (name: ...)")
    if content.get("task", "classify") != "classify":
        raise CardError(f"{path}: is the card of a {str(content['task'])[:100]}; an ONNX file needs the card of a classifier")
    return content


def merge(fields: Fields, overrides: Mapping[str, Any]) -> Fields:
    """A deep merge of two mappings in which ``overrides`` wins."""
    result = dict(fields)
    for key, value in overrides.items():
        nested = isinstance(result.get(key), dict) and isinstance(value, Mapping)
        result[key] = merge(result[key], value) if nested else value
    return result


def parse_normalisation(given: Fields, source: Path) -> Normalisation:
    """The normalisation in the given fields of a card; by default pixels 0..1 unchanged.

    Raises:
        CardError: it is out of bounds.
    """
    value = _get(given, "input", "normalisation")
    merged = merge({"value": NO_NORMALISATION}, {"value": value} if value is not None else {})["value"]
    try:
        return Normalisation.model_validate(merged)
    except ValidationError as error:
        raise CardError(f"{source}: {format_errors(error, 'input.normalisation')}") from error


def build_card(given: Fields, report: ModelReport, source: Path, model: Path, card_path: Path) -> ModelCard:
    """The complete card of ``model``, which was made from the file ``source``; errors name ``card_path``.

    Raises:
        CardError: a field is missing, unknown or out of bounds, or the card describes another file.
    """
    digests = file_sha256(source), file_sha256(model)
    if given.get("sha256", digests[0]) not in digests:
        raise CardError(f"{card_path}: sha256 is not that of {source}; leave it out to have it filled in")
    fields = merge(merge(_defaults(given, report, source, digests[0]), given), {"sha256": digests[1]})
    card = parse_card(fields, card_path)
    assert isinstance(card, ModelCard)
    if card.known_answer is None and len(card.labels) == report.labels:
        card = card.model_copy(update={"known_answer": golden_output(card.labels, report.golden_output)})
    return card


def _defaults(given: Fields, report: ModelReport, source: Path, digest: str) -> Fields:
    """The default of every optional field. Ink is placed as in MNIST, an object fills the frame."""
    is_object = _get(given, "input", "geometry", "subject") == "object"
    return {
        "version": "1.0.0",
        "title": given.get("name"),
        "task": "classify",
        "input": {
            "size": report.size,
            "channels": report.channels,
            "geometry": {
                "subject": "ink",
                "fit_box": report.size if is_object else round(report.size * 20 / 28),
                "centring": "box" if is_object else "mass",
                "polarity": "light_on_dark",
            },
            "normalisation": NO_NORMALISATION,
        },
        "calibration": {"temperature": 1.0},
        "rejection": {"score": "max_softmax", "threshold": 0.0},
        "metrics": [],
        "provenance": {"data": [UNKNOWN], "recipe": "imported", "revision": f"{source.name}, sha256 {digest}"},
        "licence": UNKNOWN,
    }


def _get(fields: Any, *keys: str) -> Any:
    for key in keys:
        fields = fields.get(key) if isinstance(fields, Mapping) else None
    return fields

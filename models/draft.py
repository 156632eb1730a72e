"""The card of a model brought along: what its owner says, and for the rest what is usual."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from models import yaml_reader
from models.card import CardError, ModelCard, faults, file_sha256, parse_card
from models.probe import known_answer
from models.trial import Finding
from models.yaml_reader import YamlError
from preprocessing import Normalisation

RANGE: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})|([A-Za-z])-([A-Za-z])")
NOT_TOLD: Final = "not told"
UNCHANGED: Final = {"mean": 0.0, "std": 1.0}

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A field of the card as an option of the command line."""

    place: tuple[str, ...]
    help: str
    type: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    action: str = "store"


_LOOK: Final = ("input", "geometry")
FIELDS: Final = {
    "name": Told(("name",), "what requests call it, such as mnist-12"),
    "version": Told(("version",), "1.0.0 when not given"),
    "title": Told(("title",), "what people call it; the name when not given"),
    "licence": Told(("licence",), "of the weights"),
    "data": Told(("provenance", "data"), "what it was trained on; may be given more than once", action="append"),
    "subject": Told((*_LOOK, "subject"), "ink (as given without) or object", choices=("ink", "object")),
    "fit_box": Told((*_LOOK, "fit_box"), "pixels of what is shown; 20/28 of the side for ink, all for an object", type=int),
    "centring": Told((*_LOOK, "centring"), "mass for ink, box for an object", choices=("mass", "box")),
    "polarity": Told((*_LOOK, "polarity"), "light_on_dark when not given", choices=("light_on_dark", "dark_on_light")),
    "mean": Told(("input", "normalisation", "mean"), "of pixels 0..1, taken off; 0 when not given", type=float),
    "std": Told(("input", "normalisation", "std"), "divides pixels 0..1; 1 when not given", type=float),
}


def told(options: Mapping[str, Any]) -> Fields:
    """The fields of a card that options of the command line tell."""
    fields: Fields = {}
    for option, field in FIELDS.items():
        value: Any = options.get(option)
        if value is not None:
            for key in reversed(field.place):
                value = {key: value}
            fields = merged(fields, value)
    return fields


def parse_labels(text: str) -> list[str]:
    """Labels from ``cat,dog``, from ranges such as ``0-9`` or ``0-9,A-Z``, or from a text file with a label a line.

    Raises:
        CardError: a file that cannot be read, or a single word that is neither.
    """
    path = Path(text)
    if "," not in text and not RANGE.fullmatch(text):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CardError(f"--labels {text}: neither labels with commas, nor a range, nor a file that can be read") from error
        return [line.strip() for line in lines if line.strip()]
    return [label for part in text.split(",") for label in _expanded(part.strip())]


def _expanded(part: str) -> list[str]:
    match = RANGE.fullmatch(part)
    if not match:
        return [part]
    if match[1]:
        return [str(number) for number in range(int(match[1]), int(match[2]) + 1)]
    return [chr(code) for code in range(ord(match[3]), ord(match[4]) + 1)]


def read_given(path: Path) -> Fields:
    """The fields of a card that may lack some.

    Raises:
        CardError: it cannot be read, or is the card of something else than a classifier.
    """
    try:
        content = yaml_reader.load(yaml_reader.read_text(path))
    except (OSError, YamlError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CardError(f"{path}: is no card; a card is a list of fields (name: ...)")
    if content.get("task", "classify") != "classify":
        raise CardError(f"{path}: is the card of a {str(content['task'])[:100]}; an ONNX file is a classifier")
    return content


def merged(fields: Fields, over: Mapping[str, Any]) -> Fields:
    """Fields, those of ``over`` before others, in groups of fields too."""
    both = dict(fields)
    for key, value in over.items():
        both[key] = merged(both[key], value) if isinstance(both.get(key), dict) and isinstance(value, Mapping) else value
    return both


def normalisation(given: Fields, source: Path) -> Normalisation:
    """How pixels are normalised: as given, or not at all.

    Raises:
        CardError: given and out of bounds.
    """
    told = _at(given, "input", "normalisation")
    levels = merged({"levels": UNCHANGED}, {"levels": told} if told is not None else {})["levels"]
    try:
        return Normalisation.model_validate(levels)
    except ValidationError as error:
        raise CardError(f"{source}: {faults(error, 'input.normalisation')}") from error


def drafted(given: Fields, finding: Finding, source: Path, model: Path, named: Path) -> ModelCard:
    """The whole card of ``model``, which was made of the file ``source``; faults are told of ``named``.

    Raises:
        CardError: a field is missing, unknown or out of bounds, or the card is of another file.
    """
    digests = file_sha256(source), file_sha256(model)
    if given.get("sha256", digests[0]) not in digests:
        raise CardError(f"{named}: sha256 is that of another file than {source}; leave it out to have it filled in")
    card = parse_card(merged(merged(_usual(given, finding, source, digests[0]), given), {"sha256": digests[1]}), named)
    assert isinstance(card, ModelCard)
    if card.known_answer is None and len(card.labels) == finding.labels:
        card = card.model_copy(update={"known_answer": known_answer(card.labels, finding.probed)})
    return card


def _usual(given: Fields, finding: Finding, source: Path, digest: str) -> Fields:
    """Every field that need not be given. Ink lies as in MNIST, a thing fills the frame."""
    thing = _at(given, "input", "geometry", "subject") == "object"
    return {
        "version": "1.0.0",
        "title": given.get("name"),
        "task": "classify",
        "input": {
            "size": finding.size,
            "channels": finding.channels,
            "geometry": {
                "subject": "ink",
                "fit_box": finding.size if thing else round(finding.size * 20 / 28),
                "centring": "box" if thing else "mass",
                "polarity": "light_on_dark",
            },
            "normalisation": UNCHANGED,
        },
        "calibration": {"temperature": 1.0},
        "rejection": {"score": "max_softmax", "threshold": 0.0},
        "metrics": [],
        "provenance": {"data": [NOT_TOLD], "recipe": "imported", "revision": f"{source.name}, sha256 {digest}"},
        "licence": NOT_TOLD,
    }


def _at(fields: Any, *keys: str) -> Any:
    for key in keys:
        fields = fields.get(key) if isinstance(fields, Mapping) else None
    return fields

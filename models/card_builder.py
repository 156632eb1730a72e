"""Builds the card of an imported model from the fields its owner gives and from defaults."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from models import yaml_reader
from models.card import CardError, ModelCard, file_sha256, format_errors, parse_card
from models.golden import golden_output
from models.outputs import Kind
from models.presets import PRESETS
from models.sandbox import Hints, InputHints, ModelReport
from models.terminal import printable
from models.yaml_reader import YamlError
from preprocessing import Colour, Filter, Layout, Normalisation, read_older_form

RANGE: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})|([A-Za-z])-([A-Za-z])")
UNKNOWN: Final = "not told"
MAX_REMARK: Final = 500

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardOption:
    """A command-line option that sets a field of the card; ``field`` is the path to it."""

    field: tuple[str, ...]
    help: str
    type: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    action: str = "store"


def parse_size(text: str) -> dict[str, int]:
    """Height and width of ``224`` or ``HxW``."""
    height, _, width = text.partition("x")
    return {"height": int(height), "width": int(width or height)}


def parse_numbers(text: str) -> list[float]:
    """Numbers separated by commas: one for all channels, or one for each."""
    return [float(number) for number in text.split(",")]


_GEOMETRY: Final = ("input", "geometry")
_NORMALISATION: Final = ("input", "normalisation")
OPTIONS: Final = {
    "name": CardOption(("name",), "the name in requests, such as mnist-12"),
    "version": CardOption(("version",), "1.0.0 by default"),
    "title": CardOption(("title",), "the name for people; equal to the name by default"),
    "licence": CardOption(("licence",), "licence of the weights"),
    "data": CardOption(("provenance", "data"), "the training data; may be given more than once", action="append"),
    "layout": CardOption(("input", "layout"), "axes of the input, where the graph leaves them open", choices=get_args(Layout)),
    "size": CardOption(("input",), "sides in pixels, 224 or HEIGHTxWIDTH, where the graph leaves them open", type=parse_size),
    "colour": CardOption(("input", "colour"), "RGB by default for 3 channels", choices=get_args(Colour)),
    "transposed": CardOption(("input", "transposed"), "rows and columns are exchanged, as in EMNIST", action="flag"),
    "subject": CardOption(
        (*_GEOMETRY, "subject"),
        "ink or object, which are cut out, or photo, the whole picture; by default ink for grey models, else photo",
        choices=("ink", "object", "photo"),
    ),
    "fit_box": CardOption(
        (*_GEOMETRY, "fit_box"),
        "pixels of the longer side; by default 20/28 of the input for ink, all for an object",
        type=int,
    ),
    "centring": CardOption((*_GEOMETRY, "centring"), "by default mass for ink, box for an object", choices=("mass", "box")),
    "polarity": CardOption(
        (*_GEOMETRY, "polarity"),
        "light_on_dark by default; as_is for a photo",
        choices=("light_on_dark", "dark_on_light", "as_is"),
    ),
    "fit": CardOption(
        (*_GEOMETRY, "fit"), "how a photo fills the frame; stretch by default", choices=("stretch", "crop", "pad")
    ),
    "shorter_side": CardOption(
        (*_GEOMETRY, "shorter_side"), "with crop: pixels of the shorter side before the cut; the frame's by default", type=int
    ),
    "pad_level": CardOption((*_GEOMETRY, "pad_level"), "with pad: the level around the picture, 0 by default", type=int),
    "filter": CardOption(
        (*_GEOMETRY, "filter"), "how a photo is scaled; bilinear by default, area for grey ones", choices=get_args(Filter)
    ),
    "scale": CardOption((*_NORMALISATION, "scale"), "what white becomes: 1 for pixels of 0 to 1 (default), 255", type=float),
    "mean": CardOption(
        (*_NORMALISATION, "mean"), "subtracted after scaling; one number or one per channel; 0 by default", type=parse_numbers
    ),
    "std": CardOption((*_NORMALISATION, "std"), "divides after that; 1 by default", type=parse_numbers),
    "output": CardOption(("output", "name"), "the output with the scores, where there are several"),
    "output_kind": CardOption(("output", "kind"), "what the scores are, where the import is wrong", choices=get_args(Kind)),
    "multi_label": CardOption(("output", "multi_label"), "each label has a score for itself", action="flag"),
}
_PHOTO_FIELDS: Final = ("fit", "shorter_side", "pad_level", "filter")


def preset_fields(name: str) -> Fields:
    """The fields of a card that a preset sets."""
    return {"input": PRESETS[name]}


def preset_remark(name: str) -> str:
    """What a preset sets."""
    return f"the preset {name} is {as_options(preset_fields(name))}"


def as_options(fields: Fields) -> str:
    """Fields of a card as the options that would set the same."""
    parts = []
    for option, described in OPTIONS.items():
        value = _get(fields, *described.field)
        if value is not None and value is not False and described.field != ("input",):
            text = "" if value is True else f" {','.join(map(str, value)) if isinstance(value, list) else value}"
            parts.append(f"--{option.replace('_', '-')}{text}")
    return " ".join(parts)


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
    if isinstance(content.get("input"), dict):
        content["input"] = read_older_form(content["input"])
    return content


def merge(fields: Fields, overrides: Mapping[str, Any]) -> Fields:
    """A deep merge of two mappings in which ``overrides`` wins."""
    result = dict(fields)
    for key, value in overrides.items():
        nested = isinstance(result.get(key), dict) and isinstance(value, Mapping)
        result[key] = merge(result[key], value) if nested else value
    return result


def hints_of(given: Fields, source: Path) -> Hints:
    """What the given fields of a card say about the model before it is inspected.

    Raises:
        CardError: a field is out of bounds.
    """
    spec, output, labels = given.get("input", {}), given.get("output", {}), given.get("labels")
    known = {key: spec[key] for key in InputHints.model_fields if key in spec} if isinstance(spec, Mapping) else spec
    try:
        if isinstance(known, Mapping) and "normalisation" in known:
            found = Normalisation.model_validate(known["normalisation"])
            known = {**known, "normalisation": found.model_dump(mode="json", exclude_unset=True)}
        fields = {"input": known, "output": output, "labels": len(labels) if isinstance(labels, list) else None}
        return Hints.model_validate({**fields, "fixed_batch": given.get("fixed_batch")})
    except ValidationError as error:
        inside = "input.normalisation" if error.title == "Normalisation" else ""
        raise CardError(f"{source}: {format_errors(error, inside)}") from error


def build_card(given: Fields, report: ModelReport, source: Path, model: Path, card_path: Path) -> ModelCard:
    """The complete card of ``model``, which was made from the file ``source``; errors name ``card_path``.

    Raises:
        CardError: a field is missing, unknown or out of bounds, or the card describes another file.
    """
    digests = file_sha256(source), file_sha256(model)
    if given.get("sha256", digests[0]) not in digests:
        raise CardError(f"{card_path}: sha256 is not that of {source}; leave it out to have it filled in")
    found = {"input": report.input, "output": report.output.model_dump(), "fixed_batch": report.fixed_batch}
    if isinstance(given.get("input", {}), dict):
        given = merge(given, found)
    fields = merge(merge(_defaults(given, source, digests[0]), given), {"sha256": digests[1]})
    fields["remarks"] = [printable(line)[:MAX_REMARK] for line in [*_assumptions(given), *report.assumptions]]
    if report.fixed_batch is not None:
        fields["remarks"].append(fixed_batch_remark(report))
    card = parse_card(fields, card_path)
    assert isinstance(card, ModelCard)
    if card.known_answer is None and len(card.labels) == report.columns:
        card = card.model_copy(update={"known_answer": golden_output(card.labels, report.golden_output)})
    return card


def fixed_batch_remark(report: ModelReport) -> str:
    """What it costs that a model cannot take several images in one call."""
    milliseconds = next(iter(report.latency_ms.values()), 0.0)
    return (
        f"the images of a batch cannot be computed together (fixed_batch {report.fixed_batch}), so the model is called once "
        f"for each image: {milliseconds:.3g} ms an image on one thread, and load gains nothing from batches"
    )


def _defaults(given: Fields, source: Path, digest: str) -> Fields:
    """The default of every optional field."""
    return {
        "version": "1.0.0",
        "title": given.get("name"),
        "task": "classify",
        "input": {"geometry": _default_geometry(given)},
        "calibration": {"temperature": 1.0},
        "rejection": {"score": "max_softmax", "threshold": 0.0},
        "metrics": [],
        "provenance": {"data": [UNKNOWN], "recipe": "imported", "revision": f"{source.name}, sha256 {digest}"},
        "licence": UNKNOWN,
    }


def _default_geometry(given: Fields) -> Fields:
    """Ink is placed as in MNIST, an object fills the frame, and a photo is stretched to it."""
    subject, grey = _subject(given), _get(given, "input", "colour") == "grey"
    if subject == "photo":
        return {"subject": "photo", "fit": "stretch", "filter": "area" if grey else "bilinear", "polarity": "as_is"}
    sides = [_get(given, "input", name) for name in ("height", "width")]
    side = min(value for value in sides if isinstance(value, int)) if any(sides) else 0
    return {
        "subject": "ink",
        "fit_box": side if subject == "object" else round(side * 20 / 28),
        "centring": "box" if subject == "object" else "mass",
        "polarity": "light_on_dark",
    }


def _subject(given: Fields) -> Any:
    geometry = _get(given, "input", "geometry") or {}
    if (subject := _get(geometry, "subject")) is not None:
        return subject
    is_photo = any(_get(geometry, name) is not None for name in _PHOTO_FIELDS)
    return "photo" if is_photo or _get(given, "input", "colour") != "grey" else "ink"


def _assumptions(given: Fields) -> list[str]:
    """What is assumed about the pictures, as far as neither an option nor a card nor a preset says it."""
    geometry, subject, lines = _get(given, "input", "geometry") or {}, _subject(given), []
    if _get(geometry, "subject") is None:
        if subject == "photo":
            lines.append(f"whole pictures (--subject photo --fit {_get(geometry, 'fit') or 'stretch'})")
        else:
            lines.append("drawings, which are cut out and centred (--subject ink)")
    if subject != "photo" and _get(geometry, "polarity") is None:
        lines.append("light strokes on a dark ground (--polarity light_on_dark)")
    if _get(given, "input", "colour") == "RGB" and subject == "photo":
        lines.append("channels in the order red, green, blue (--colour RGB)")
    return lines


def _get(fields: Any, *keys: str) -> Any:
    for key in keys:
        fields = fields.get(key) if isinstance(fields, Mapping) else None
    return fields

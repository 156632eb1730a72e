"""The command-line options of an import, as fields of a card; presets, and labels as text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from models.card import CardError
from models.labels import parse_label_text
from models.outputs import Kind
from models.presets import PRESETS
from preprocessing import Colour, Filter, Layout

RANGE: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})|([A-Za-z])-([A-Za-z])")

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
PHOTO_FIELDS: Final = ("fit", "shorter_side", "pad_level", "filter")


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
        value = get(fields, *described.field)
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
    """Parse labels: ``cat,dog``, ranges such as ``0-9`` or ``0-9,A-Z``, or the name of a file as ``parse_label_text`` reads it.

    Raises:
        CardError: a file that cannot be read, or a word that is none of these.
    """
    path = Path(text)
    if "," not in text and not RANGE.fullmatch(text):
        try:
            found = parse_label_text(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise CardError(f"--labels {text}: neither labels with commas, nor a range, nor a readable file") from error
        if not found:
            raise CardError(f"--labels {text}: holds no labels; write one a line, or JSON: a list, or a mapping from numbers")
        return found
    return [label for part in text.split(",") for label in _expand_range(part.strip())]


def _expand_range(part: str) -> list[str]:
    match = RANGE.fullmatch(part)
    if not match:
        return [part]
    if match[1]:
        return [str(number) for number in range(int(match[1]), int(match[2]) + 1)]
    return [chr(code) for code in range(ord(match[3]), ord(match[4]) + 1)]


def merge(fields: Fields, overrides: Mapping[str, Any]) -> Fields:
    """A deep merge of two mappings in which ``overrides`` wins."""
    result = dict(fields)
    for key, value in overrides.items():
        nested = isinstance(result.get(key), dict) and isinstance(value, Mapping)
        result[key] = merge(result[key], value) if nested else value
    return result


def get(fields: Any, *keys: str) -> Any:
    """The value at a path of keys, None where there is none."""
    for key in keys:
        fields = fields.get(key) if isinstance(fields, Mapping) else None
    return fields

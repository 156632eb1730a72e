"""Reads untrusted YAML with limits on size, nesting depth and length of numbers, checked before any object is built.

libyaml builds nested lists by recursion, so that 300,000 brackets crash the process. Aliases let a small file expand without
bound. Python takes quadratic time to parse long numbers. A card needs none of these.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml

SafeLoader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast, where it is available
MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20
MAX_EVENTS: Final = 300_000  # a card of 10,000 labels, each with its metrics, has 90,000
MAX_NUMBER: Final = 100

_STARTS: Final = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ENDS: Final = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_NUMBER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|[0-9_:]*\.?[0-9_]*([eE][-+]?[0-9]+)?)")
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)


class YamlError(Exception):
    """The text is not YAML, or uses a feature that is not accepted; the message says why, in one line."""


def read_text(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        YamlError: it is larger than ``MAX_BYTES``, or not UTF-8.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise YamlError(f"it has more than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(f"it is not UTF-8: {error}") from error


def load(text: str) -> Any:
    """Parse YAML of lists, mappings, strings, numbers and dates.

    Raises:
        YamlError: it is not YAML, is nested deeper than ``MAX_DEPTH``, or has aliases, tags, directives or a number of more
            than ``MAX_NUMBER`` characters.
    """
    if _DIRECTIVE.search(text):
        raise YamlError("it has a directive (a line that begins with %); leave it out")
    try:
        _check(text)
        return yaml.load(text, SafeLoader)
    except yaml.YAMLError as error:
        raise YamlError(" ".join(str(error).split())) from error
    except (ValueError, OverflowError) as error:  # invalid dates and numbers, such as 2026-99-99
        raise YamlError(f"a value is not valid: {error}") from error


def _check(text: str) -> None:
    """Check the parser's events, which needs no recursion.

    Raises:
        YamlError: as of ``load``.
    """
    depth = 0
    for number, event in enumerate(yaml.parse(text, SafeLoader)):
        if number > MAX_EVENTS:
            raise YamlError(f"it has more than {MAX_EVENTS:,} parts")
        where = f"line {event.start_mark.line + 1 if event.start_mark else '?'}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(f"{where}: anchors and aliases (& and *) are not accepted; write the value itself, or quote it")
        if getattr(event, "tag", None):
            raise YamlError(f"{where}: tags (!) are not accepted; leave the tag out, or put the value in quotes")
        depth += isinstance(event, _STARTS) - isinstance(event, _ENDS)
        if depth > MAX_DEPTH:
            raise YamlError(f"{where}: it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _is_long_number(event.value):
            raise YamlError(f"{where}: a number of more than {MAX_NUMBER} characters; put it in quotes if it is a string")


def _is_long_number(text: str) -> bool:
    return len(text) > MAX_NUMBER and _NUMBER.fullmatch(text) is not None

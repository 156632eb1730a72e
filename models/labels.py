"""Labels as text: the forms in which people and exporters write them down."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

# Each line begins with its number, as in the labels.txt of Teachable Machine: "0 cat", "1: dog", "2,bird".
NUMBERED: Final = re.compile(r"(\d+)[\s:,;]+(.+)")


def parse_label_text(text: str) -> list[str]:
    """Labels of a JSON text or a Python literal, or of lines, which may be numbered from 0; empty where there are none.

    A list, a mapping from numbers to labels, one from labels to numbers (``class_indices`` of Keras), and lists whose last
    element is the label (``imagenet_class_index.json``) are understood.
    """
    value = _parse_literal(text.strip()) if text.strip()[:1] in ("[", "{", "(") else None
    if value is not None:
        return _labels_of(value)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    if len(lines) > 1 and all(match and int(match[1]) == index for index, match in enumerate(numbered)):
        return [match[2] for match in numbered if match]
    return lines


def make_distinct(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels with the number of the class after those that another class has as well, and a remark where there are such.

    The usual list of ImageNet has "crane" and "maillot" twice.
    """
    counts = Counter(labels)
    if twice := [label for label, count in counts.items() if count > 1]:
        distinct = [f"{label} (class {index})" if counts[label] > 1 else label for index, label in enumerate(labels)]
        return distinct, [f"labels of more than one class ({', '.join(twice[:3])}) have the number of their class after them"]
    return list(labels), []


def texts(values: Iterable[Any]) -> list[str]:
    """Labels of a graph as text."""
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]


def _parse_literal(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _labels_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        numbers = [str(index) for index in range(len(value))]
        numbered = {str(key): label for key, label in value.items()}
        if set(numbers) != numbered.keys():
            numbered = {str(number): label for label, number in value.items()}
        if set(numbers) != numbered.keys():
            return []
        value = [numbered[number] for number in numbers]
    if not isinstance(value, list | tuple):
        return []
    value = [one[-1] if isinstance(one, list | tuple) and len(one) > 1 else one for one in value]
    return texts(value) if all(isinstance(one, str | int) for one in value) else []

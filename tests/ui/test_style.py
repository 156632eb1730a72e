"""The style sheets: no rule is for something that the page's code puts nowhere."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

import ui

ROOM: Final = Path(ui.__path__[0])
SHEETS: Final = sorted(ROOM.glob("*.css"))
# What Streamlit calls the words of a program.
TOKENS: Final = {"token", "comment", "punctuation", "operator", "keyword", "builtin", "function", "string"}
COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def texts() -> list[str]:
    """Every text in the page's code."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOM.glob("*.py")]
    constants = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_rule_is_for_something(sheet: Path) -> None:
    selectors = " ".join(re.findall(r"[^{}]+(?=\{)", COMMENT.sub("", sheet.read_text(encoding="utf-8"))))
    said = texts()
    words = {word for text in said for word in re.findall(r"[\w-]+", text)}
    keys = set(re.findall(r"\.st-key-([\w-]+)", selectors))
    beginnings = set(re.findall(r'\[class\*="st-key-([\w-]+)"\]', selectors))
    classes = {name for name in re.findall(r"\.([a-zA-Z][\w-]*)", selectors) if not name.startswith("st")}
    assert keys - set(said) == set()
    assert beginnings - set(said) == set()
    assert classes - words - TOKENS == set()


def test_every_sheet_is_on_the_page() -> None:
    assert {sheet.name for sheet in SHEETS} <= set(texts())

"""Stylesheets: every selector names something that the page's code uses."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

import ui

FOLDER: Final = Path(ui.__path__[0])
STYLESHEETS: Final = sorted((FOLDER / "assets").glob("*.css"))
# Classes of Streamlit's syntax highlighting.
SYNTAX_CLASSES: Final = {"token", "comment", "punctuation", "operator", "keyword", "builtin", "function", "string"}
COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def string_constants() -> list[str]:
    """Return all string constants in the page's code."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")]
    constants = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("sheet", STYLESHEETS, ids=lambda sheet: sheet.name)
def test_every_selector_is_used(sheet: Path) -> None:
    selectors = " ".join(re.findall(r"[^{}]+(?=\{)", COMMENT.sub("", sheet.read_text(encoding="utf-8"))))
    constants = string_constants()
    words = {word for text in constants for word in re.findall(r"[\w-]+", text)}
    keys = set(re.findall(r"\.st-key-([\w-]+)", selectors))
    prefixes = set(re.findall(r'\[class\*="st-key-([\w-]+)"\]', selectors))
    classes = {name for name in re.findall(r"\.([a-zA-Z][\w-]*)", selectors) if not name.startswith("st")}
    assert keys - set(constants) == set()
    assert prefixes - set(constants) == set()
    assert classes - words - SYNTAX_CLASSES == set()


@pytest.mark.parametrize("sheet", STYLESHEETS, ids=lambda sheet: sheet.name)
def test_no_stylesheet_looks_like_html(sheet: Path) -> None:
    # The browser's sanitizer drops a whole stylesheet with a "<", also in a string.
    assert "<" not in sheet.read_text(encoding="utf-8")


def test_every_stylesheet_is_loaded() -> None:
    assert {sheet.name for sheet in STYLESHEETS} <= set(string_constants())

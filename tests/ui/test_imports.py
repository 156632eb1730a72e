"""Imports between the sub-packages of the page point one way."""

import ast
from pathlib import Path

import pytest

import ui

FOLDER = Path(ui.__path__[0])
ALLOWED: dict[str, set[str]] = {
    "images": set(),
    "i18n": set(),
    "api": {"images"},
    "state": {"api", "i18n", "images"},
    "components": {"api", "i18n", "images", "state"},
    "views": {"api", "components", "i18n", "images", "state"},
}


def imported_packages(path: Path) -> set[str]:
    """Return the sub-packages of `ui` that a module imports."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = [node.module.split(".") for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {parts[1] for parts in modules if parts[0] == "ui" and len(parts) > 1}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package: str) -> None:
    modules = sorted((FOLDER / package).glob("*.py"))
    assert modules
    for module in modules:
        assert imported_packages(module) <= ALLOWED[package] | {package}, module


def test_every_package_is_listed() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/__init__.py")} == set(ALLOWED)

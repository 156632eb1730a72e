"""The packages of the project, and what a module imports."""

import ast
from pathlib import Path

PACKAGES = {"service", "serving", "gallery", "models", "preprocessing", "training", "ui", "loadtests", "deploy"}


def imported_modules(path: Path) -> set[str]:
    """The modules that a module imports, with their packages."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports."""
    return {name.split(".")[0] for name in imported_modules(path)}

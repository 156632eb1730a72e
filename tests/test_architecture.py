"""Imports between the rooms point one way."""

import ast
from pathlib import Path

import pytest
import yaml

from tests.support.processes import ROOT

ROOMS = {"service", "serving", "gallery", "models", "preprocessing", "training", "ui", "loadtests", "deploy"}
ALLOWED: dict[str, set[str]] = {
    "service": {"serving"},
    "serving": {"models", "preprocessing", "gallery"},
    "gallery": set(),
    "models": {"preprocessing"},
    "preprocessing": set(),
    "training": {"models", "preprocessing"},
    "ui": set(),
    "loadtests": {"models", "preprocessing", "serving"},
    "deploy": {"models"},
}
FOREIGN = {
    "preprocessing": {"bentoml", "starlette", "onnxruntime", "streamlit", "torch"},
    "models": {"starlette", "streamlit", "torch"},
    "serving": {"onnx", "streamlit", "torch"},
    "gallery": {"bentoml", "starlette", "pydantic", "onnxruntime", "streamlit", "torch"},
    "ui": {"bentoml", "onnxruntime", "torch"},
}


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_point_one_way(room: str) -> None:
    modules = [ROOT / "service.py"] if room == "service" else sorted((ROOT / room).rglob("*.py"))
    assert modules
    for module in modules:
        names = imported(module)
        assert names & ROOMS <= ALLOWED[room] | {room}, module
        assert not names & FOREIGN.get(room, set()), module


OVER_HTTP = [
    f"{name}.py" for name in ("scenarios/locustfile", "samples", "images", "http_client", "load", "processes", "overload")
]
BASELINES = [f"baselines/{name}.py" for name in ("usual", "fastapi_app", "bentoml_documented")]


@pytest.mark.parametrize("name", OVER_HTTP + BASELINES)
def test_load_goes_over_http_and_baselines_use_nothing_of_the_service(name: str) -> None:
    assert not imported(ROOT / "loadtests" / name) & (ROOMS - {"loadtests"})


@pytest.mark.parametrize("bento", ["bentofile.yaml", "bentofile.gpu.yaml"])
def test_a_bento_has_every_module_of_the_service(bento: str) -> None:
    patterns = yaml.safe_load((ROOT / bento).read_text(encoding="utf-8"))["include"]
    for room in ("preprocessing", "models", "gallery", "serving"):
        for module in (ROOT / room).rglob("*.py"):
            path = module.relative_to(ROOT)
            assert any(path.match(pattern) for pattern in patterns), f"{path} is missing from {bento}"

"""Imports point one way, between the top-level packages and inside serving/; only serving/bento/ uses private APIs."""

import ast
from pathlib import Path

import pytest
import yaml

from tests.support.imports import PACKAGES, imported, imported_modules
from tests.support.processes import ROOT

ALLOWED: dict[str, set[str]] = {
    "service": {"serving"},
    "serving": {"models", "preprocessing", "gallery"},
    "gallery": set(),
    "models": {"preprocessing"},
    "preprocessing": set(),
    "training": {"models", "preprocessing"},
    "ui": set(),
    "loadtests": {"models", "preprocessing", "serving", "deploy"},  # deploy in bulk_speed.py alone
    "deploy": {"models", "serving", "preprocessing"},  # serving and preprocessing in deploy/bulk alone
}
FOREIGN = {
    "preprocessing": {"bentoml", "starlette", "onnxruntime", "streamlit", "torch"},
    "models": {"starlette", "streamlit", "torch"},
    "serving": {"onnx", "streamlit", "torch"},
    "gallery": {"bentoml", "starlette", "pydantic", "onnxruntime", "streamlit", "torch"},
    "ui": {"bentoml", "onnxruntime", "torch"},
}


# What each part of serving/ may import of the others.
SHARED = {"settings", "errors", "process"}
SERVING: dict[str, set[str]] = {
    "settings": set(),
    "settings_page": {"settings"},
    "errors": {"process"},
    "process": {"settings"},
    "middleware": SHARED,
    "backpressure": SHARED,
    "inference": SHARED | {"backpressure"},
    "registry": SHARED | {"inference"},
    "http": SHARED | {"inference", "registry", "backpressure", "middleware"},
    "bento": SHARED | {"http", "middleware"},
    "startup": SHARED | {"inference", "middleware"},
    "keys": {"middleware"},
    "__main__": {"startup"},
    "__init__": set(),
}
# Packages, and private parts of packages, that only serving/bento/ may import.
PRIVATE = ("bentoml._internal", "_bentoml_impl", "_bentoml_sdk", "uvicorn", "circus", "opentelemetry.instrumentation")


def part_of(module: Path) -> str:
    """The part of serving/ that a module belongs to: a sub-package, or a module at its top."""
    return module.relative_to(ROOT / "serving").parts[0].removesuffix(".py")


SERVING_MODULES = sorted((ROOT / "serving").rglob("*.py"))


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_imports_point_one_way(package: str) -> None:
    modules = [ROOT / "service.py"] if package == "service" else sorted((ROOT / package).rglob("*.py"))
    assert modules
    for module in modules:
        names = imported(module)
        assert names & PACKAGES <= ALLOWED[package] | {package}, module
        assert not names & FOREIGN.get(package, set()), module


def test_only_the_measurement_of_bulk_imports_deploy() -> None:
    importing = [module.name for module in (ROOT / "loadtests").rglob("*.py") if "deploy" in imported(module)]
    assert importing == ["bulk_speed.py"]


def test_only_bulk_of_deploy_imports_the_service() -> None:
    for module in (ROOT / "deploy").rglob("*.py"):
        if "bulk" not in module.relative_to(ROOT).parts:
            assert not imported(module) & {"serving", "preprocessing"}, module


@pytest.mark.parametrize("part", sorted(SERVING))
def test_imports_inside_serving_point_one_way(part: str) -> None:
    modules = [module for module in SERVING_MODULES if part_of(module) == part]
    assert modules
    for module in modules:
        names = {name.split(".")[1] for name in imported_modules(module) if name.startswith("serving.")}
        assert names <= SERVING[part] | {part}, module


def test_every_part_of_serving_has_its_imports_listed() -> None:
    assert {part_of(module) for module in SERVING_MODULES} == SERVING.keys()


def test_only_the_bento_package_imports_private_parts_of_bentoml_and_uvicorn() -> None:
    for module in (ROOT / "service.py", *SERVING_MODULES):
        if part_of_bento(module):
            continue
        for name in imported_modules(module):
            assert not any(name == private or name.startswith(f"{private}.") for private in PRIVATE), f"{module}: {name}"


def test_only_the_bento_package_patches_classes_of_other_packages() -> None:
    """An assignment to an attribute of an imported class or module is a patch."""
    for module in (ROOT / "service.py", *SERVING_MODULES):
        if part_of_bento(module):
            continue
        tree = ast.parse(module.read_text(encoding="utf-8"))
        foreign = {
            (alias.asname or alias.name).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                assert not (
                    isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in foreign
                ), f"{module}:{target.lineno}"


def part_of_bento(module: Path) -> bool:
    """Whether a module lies in serving/bento/."""
    return (ROOT / "serving" / "bento") in module.parents


OVER_HTTP = [
    *("samples.py", "images.py", "requests.py", "processes.py", "resources.py", "report.py", "overload.py"),
    *(
        f"{folder}/{module.name}"
        for folder in ("generator", "scenarios")
        for module in (ROOT / "loadtests" / folder).glob("*.py")
    ),
]
BASELINE_NAMES = ("usual", "fastapi_app", "fastapi_simplest", "bentoml_documented", "litserve_app", "ray_serve_app")
BASELINES = [f"baselines/{name}.py" for name in BASELINE_NAMES]


@pytest.mark.parametrize("name", OVER_HTTP + BASELINES)
def test_load_goes_over_http_and_baselines_use_nothing_of_the_service(name: str) -> None:
    assert not imported(ROOT / "loadtests" / name) & (PACKAGES - {"loadtests"})


@pytest.mark.parametrize("bento", ["bentofile.yaml", "bentofile.gpu.yaml"])
def test_a_bento_has_every_module_of_the_service(bento: str) -> None:
    patterns = yaml.safe_load((ROOT / bento).read_text(encoding="utf-8"))["include"]
    for package in ("preprocessing", "models", "gallery", "serving"):
        for module in (ROOT / package).rglob("*.py"):
            path = module.relative_to(ROOT)
            assert any(path.match(pattern) for pattern in patterns), f"{path} is missing from {bento}"


def test_nothing_is_imported_from_test_modules() -> None:
    for module in (ROOT / "tests").rglob("*.py"):
        for name in imported_modules(module):
            in_tests = name.startswith("tests.")
            assert not (in_tests and any(part.startswith("test_") for part in name.split("."))), f"{module}: {name}"

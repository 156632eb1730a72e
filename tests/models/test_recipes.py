"""The recipes of docs/models.md, run as they stand, print what the page shows."""

import re
import shlex
import warnings
from pathlib import Path

import onnx
import pytest
from onnx import helper

from models.__main__ import main
from tests.models.forms import ending, keras
from tests.models.graphs import fixed, node
from tests.support.processes import ROOT

RECIPES: list[tuple[str, str]] = re.findall(
    r"^### (.+?)$\n(.*?)(?=^##)", (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
MEASURED = " ms an image in a batch of "


def block(recipe: str, language: str) -> str:
    """The first code block of a language; what a command prints has none."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", recipe, re.MULTILINE | re.DOTALL)
    return next((text for name, text in blocks if name == language), "")


def command(recipe: str) -> str | None:
    """The line that imports the model; None where a recipe is in words."""
    return next((line for line in block(recipe, "bash").splitlines() if line.startswith("python -m models ")), None)


def save_what_cannot_be_exported_here(source: str) -> None:
    """Write a file of the same form where an exporter is too large for the tests, or the file is not ours."""
    if source.startswith("Keras"):
        onnx.save(keras(), "flowers.onnx")
        Path("labels.txt").write_text("0 daisy\n1 rose\n2 tulip\n3 sunflower\n", encoding="utf-8")
    elif source == "Ultralytics":
        graph = ending([node("Softmax", "z", "y")], shape=(1, 3, 64, 64))
        helper.set_model_props(graph, {"names": "{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog'}"})
        onnx.save(graph, "yolo11n-cls.onnx")
    elif source.startswith("A notebook"):
        onnx.save(fixed(), "left.onnx")


def printed(text: str) -> list[str]:
    """The lines of an import without what differs between machines, or between the files of the page and of this test."""
    lines = [line for line in text.splitlines() if MEASURED not in line and "constant shapes of" not in line]
    return [re.sub(r"numbers 0 to \d+", "numbers", line) for line in lines]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(("source", "recipe"), [one for one in RECIPES if command(one[1])], ids=lambda text: text[:8])
def test_recipe_prints_what_the_page_shows(
    source: str, recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if "torch" in (code := block(recipe, "python")):
        pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")
    save_what_cannot_be_exported_here(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not source.startswith("Keras"):
            exec(code, {})
    capsys.readouterr()
    assert main(shlex.split(command(recipe) or "")[3:]) == 0
    assert printed(capsys.readouterr().out) == printed(block(recipe, ""))

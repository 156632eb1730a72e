"""``python -m training``: searches splits for leaks, trains a model, and reports errors in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from models.card import ModelCard
from models.card_fields import Calibration, ClassMetrics, Metrics, Provenance, Rejection
from tests.training.synthetic_data import Images
from training import __main__ as command
from training.data import splits
from training.data.image_sets import INK
from training.fitting.loop import Callback, EpochResult, Settings
from training.recipe import Recipe
from training.recipes import RECIPES, category
from training.trainer import Log

CARD = ModelCard(
    name="digits",
    version="1.0.0",
    title="Digits",
    task="classify",
    labels=["0", "1"],
    input=INK,
    calibration=Calibration(temperature=1),
    rejection=Rejection(score="energy", threshold=0),
    metrics=[
        Metrics(
            dataset="MNIST",
            split="test",
            n=1000,
            accuracy=0.9875,
            ece=0.0123,
            per_class={"0": ClassMetrics(n=900, recall=1, precision=1), "1": ClassMetrics(n=100, recall=0.5, precision=1)},
        )
    ],
    provenance=Provenance(data=[], recipe="here", revision="now"),
    licence="Apache-2.0",
    sha256="0" * 64,
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Recipe, Path, Settings, tuple[str, ...]]]:
    """The recipes and settings that the command would train with; nothing is trained."""
    recorded: list[tuple[Recipe, Path, Settings, tuple[str, ...]]] = []

    def record(
        recipe: Recipe, out: Path, settings: Settings, log: Log, callback: Callback, without: tuple[str, ...]
    ) -> ModelCard:
        recorded.append((recipe, out, settings, without))
        log("training set 1 of 2")
        callback.on_step(1, 2, 0.5)
        callback.on_epoch(EpochResult(1, 0.25, {"MNIST, validation": 0.9125}, {"MNIST, validation": 0.3}, 90))
        return CARD

    monkeypatch.setattr(command, "train_recipe", record)
    return recorded


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_splits_option_only_searches_for_leaks(data: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([name, "--data", str(data), "--splits"]) == 0
    assert capsys.readouterr().out == f"{name}: no image is in two splits\n"


@pytest.mark.usefixtures("small")
def test_leaks_are_printed_and_the_status_is_1(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_duplicates(images: Images, others: Images) -> npt.NDArray[np.bool_]:  # noqa: ARG001
        return np.zeros(len(images), dtype=np.bool_)

    for module in (splits, category):
        monkeypatch.setattr(module, "near_duplicates", no_duplicates)
    assert command.main(["letters", "--data", str(data), "--splits"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3 and all(line.startswith("letters: ") and line.endswith(" as well") for line in lines)


@pytest.mark.parametrize("arguments", [[], ["--splits"]])
@pytest.mark.parametrize("name", RECIPES)
def test_missing_file_is_named_with_its_url(
    tmp_path: Path, name: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # Brackets in a name are not taken for a style of the console.
    folder = tmp_path / "[bold]data"
    assert command.main([name, "--data", str(folder), "--out", str(tmp_path / "out"), *arguments]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("error: "))
    assert line.startswith(f"error: {folder}/") and "is missing" in line and "https://" in line
    assert not (tmp_path / "out").exists()


def test_model_is_trained_with_the_settings_of_its_recipe_and_its_metrics_are_printed(
    data: Path, calls: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["digits", "--data", str(data)]) == 0
    ((recipe, out, settings, without),) = calls
    assert (type(recipe), recipe.data) == (RECIPES["digits"], data)
    assert (out, settings, without) == (Path("models/digits"), recipe.settings, ())
    output = capsys.readouterr().out
    assert "training set 1 of 2" in output
    assert "epoch  1 of 10  loss 0.2500  MNIST, validation: 91.25 %  1.5 min" in output
    assert "MNIST, test: 98.75 % of 1,000, balanced 75.00 %, calibration error 1.23 %" in output


def test_options_override_the_settings_of_the_recipe(data: Path, calls: list[Any], tmp_path: Path) -> None:
    arguments = ["--epochs", "3", "--seed", "9", "--cores", "1"]
    arguments += ["--without", "doodles", "--without", "scribbles", "--out", str(tmp_path)]
    assert command.main(["letters", "--data", str(data), *arguments]) == 0
    ((recipe, out, settings, without),) = calls
    assert (out, without) == (tmp_path, ("doodles", "scribbles"))
    assert (settings.epochs, settings.seed, settings.label_smoothing) == (3, 9, recipe.settings.label_smoothing)
    assert (settings.threads, settings.processes) == (1, 1)


def test_fresh_option_removes_the_checkpoint(data: Path, calls: list[Any], tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    checkpoint.touch()
    assert command.main(["letters", "--data", str(data), "--out", str(tmp_path)]) == 0
    assert checkpoint.exists()
    assert command.main(["letters", "--data", str(data), "--out", str(tmp_path), "--fresh"]) == 0
    assert not checkpoint.exists() and len(calls) == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["digts", "--data", "."], "unknown recipe 'digts'. Choose one of: digits, letters, category, fashion."),
        (["digits"], "--data --folder"),
        (["digits", "--data", ".", "--folder", "."], "not allowed with"),
        (["digits", "--data", ".", "--epochs", "many"], "invalid positive value: 'many'"),
        (["digits", "--data", ".", "--epochs", "0"], "0 is not above 0"),
    ],
)
def test_invalid_arguments_are_explained(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(arguments)
    assert exit_.value.code == 2
    assert reason in " ".join(capsys.readouterr().err.split())


def test_control_characters_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    command.log("a\x1b[31m\nb")
    assert capsys.readouterr().out == "a\\x1b[31m\nb\n"

"""python -m training: the splits are looked at, a model is made, and whatever is wrong is said in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from models.card import Calibration, ClassMetrics, Metrics, ModelCard, Provenance, Rejection
from tests.training.sources import Images
from training import __main__ as command
from training import splits
from training.frames import INK
from training.making import Say
from training.recipe import Recipe
from training.recipes import RECIPES, category
from training.train import Epoch, Settings, Watch

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
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Recipe, Path, Settings, tuple[str, ...]]]:
    """What the command asks to be made; nothing is."""
    calls: list[tuple[Recipe, Path, Settings, tuple[str, ...]]] = []

    def made(recipe: Recipe, out: Path, settings: Settings, say: Say, watch: Watch, without: tuple[str, ...]) -> ModelCard:
        calls.append((recipe, out, settings, without))
        say("bank 1 of 2")
        watch.step(1, 2, 0.5)
        watch.epoch(Epoch(1, 0.25, {"MNIST, validation": 0.9125}, {"MNIST, validation": 0.3}, 90))
        return CARD

    monkeypatch.setattr(command, "make", made)
    return calls


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_the_splits_can_be_looked_at_alone(data: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([name, "--data", str(data), "--splits"]) == 0
    assert capsys.readouterr().out == f"{name}: no picture is in two parts\n"


@pytest.mark.usefixtures("small")
def test_a_split_that_leaks_is_told_and_fails(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(images: Images, others: Images) -> npt.NDArray[np.bool_]:  # noqa: ARG001
        return np.zeros(len(images), dtype=np.bool_)

    for module in (splits, category):
        monkeypatch.setattr(module, "near_copies", none)
    assert command.main(["letters", "--data", str(data), "--splits"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3 and all(line.startswith("letters: ") and line.endswith(" as well") for line in lines)


@pytest.mark.parametrize("arguments", [[], ["--splits"]])
@pytest.mark.parametrize("name", RECIPES)
def test_missing_data_are_named_with_their_home(
    tmp_path: Path, name: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # A name in brackets is a name, not a style of the console.
    folder = tmp_path / "[bold]data"
    assert command.main([name, "--data", str(folder), "--out", str(tmp_path / "out"), *arguments]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("error: "))
    assert line.startswith(f"error: {folder}/") and "is missing" in line and "https://" in line
    assert not (tmp_path / "out").exists()


def test_a_model_is_made_as_the_recipe_says_and_its_worth_is_told(
    data: Path, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["digits", "--data", str(data)]) == 0
    ((recipe, out, settings, without),) = asked
    assert (type(recipe), recipe.data) == (RECIPES["digits"], data)
    assert (out, settings, without) == (Path("models/digits"), recipe.settings, ())
    told = capsys.readouterr().out
    assert "bank 1 of 2" in told
    assert "epoch  1 of 7  loss 0.2500  MNIST, validation: 91.25 %  1.5 min" in told
    assert "MNIST, test: 98.75 % of 1,000, balanced 75.00 %, calibration error 1.23 %" in told


def test_settings_can_be_changed(data: Path, asked: list[Any], tmp_path: Path) -> None:
    arguments = ["--epochs", "3", "--seed", "9", "--cores", "1"]
    arguments += ["--without", "doodles", "--without", "scribbles", "--out", str(tmp_path)]
    assert command.main(["letters", "--data", str(data), *arguments]) == 0
    ((recipe, out, settings, without),) = asked
    assert (out, without) == (tmp_path, ("doodles", "scribbles"))
    assert (settings.epochs, settings.seed, settings.smoothing) == (3, 9, recipe.settings.smoothing)
    assert (settings.threads, settings.processes) == (1, 1)


def test_only_a_fresh_run_throws_a_checkpoint_away(data: Path, asked: list[Any], tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    checkpoint.touch()
    assert command.main(["letters", "--data", str(data), "--out", str(tmp_path)]) == 0
    assert checkpoint.exists()
    assert command.main(["letters", "--data", str(data), "--out", str(tmp_path), "--fresh"]) == 0
    assert not checkpoint.exists() and len(asked) == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["digts", "--data", "."], "there is no recipe 'digts'. There are: digits, letters, category, fashion."),
        (["digits"], "--data --folder"),
        (["digits", "--data", ".", "--folder", "."], "not allowed with"),
        (["digits", "--data", ".", "--epochs", "many"], "invalid positive value: 'many'"),
        (["digits", "--data", ".", "--epochs", "0"], "0 is not above 0"),
    ],
)
def test_a_wrong_command_is_explained(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(arguments)
    assert left.value.code == 2
    assert reason in " ".join(capsys.readouterr().err.split())


def test_lines_hold_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    command.say("a\x1b[31m\nb")
    assert capsys.readouterr().out == "a\\x1b[31m\nb\n"

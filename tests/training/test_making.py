"""training.making: from a recipe to a folder that the catalogue takes, end to end with shapes of three kinds."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import onnxruntime as ort
from PIL import Image, ImageDraw
from torch import nn

from models import calibration
from models.card import ModelCard, read_card
from models.validation import validate_folder
from training.datasets import DataError, Labelled
from training.frames import INK, Pictures, scanned
from training.making import make, revision
from training.network import convolutions
from training.recipe import Recipe
from training.splits import Part
from training.strangers import scribbled, unknown
from training.train import Settings, Watch

SETTINGS = Settings(epochs=2, batch=20, averaging=0.5, threads=1, processes=1, seed=3)
KINDS = ["disc", "cross", "ring"]


def shape(kind: int, hand: np.random.Generator) -> Image.Image:
    """A disc, a cross or a ring of any size."""
    side = int(hand.integers(40, 90))
    picture, pen, edge = Image.new("L", (side, side)), int(hand.integers(4, 9)), side - 8
    draw = ImageDraw.Draw(picture)
    if kind == 1:
        draw.line((8, 8, edge, edge), fill=255, width=pen)
        draw.line((8, edge, edge, 8), fill=255, width=pen)
    else:
        draw.ellipse((8, 8, edge, edge), fill=255 if kind == 0 else 0, outline=255, width=pen)
    return picture


def shapes(count: int, seed: int) -> Pictures:
    kinds = np.tile(np.arange(3, dtype=np.int64), count)
    return Pictures(shape, kinds, kinds, seed)


class Shapes(Recipe):
    """Shapes made by a program; it keeps in mind what it was asked for."""

    name = "shapes"
    title = "Discs, crosses and rings"
    spec = INK
    sources = ("shapes drawn for this test",)
    settings = SETTINGS
    asked: list[str]

    def __init__(self) -> None:
        super().__init__(Path())
        self.asked = []

    @property
    def labels(self) -> list[str]:
        return KINDS

    def network(self) -> nn.Sequential:
        return convolutions((4, 8, 8, 8, 8, 16), 3)

    def training(self, number: int) -> dict[str, Pictures]:
        strokes = [1, 2] * 10
        scribbles = Pictures(scribbled, strokes, unknown(20), 5)
        return {"shapes": shapes(20, number), "shapes again": shapes(10, 50 + number), "scribbles": scribbles}

    def validation(self) -> dict[str, Pictures]:
        return {"shapes, validation": shapes(15, 100), "more shapes, validation": shapes(5, 101)}

    def test(self) -> dict[str, Pictures]:
        self.asked.append("test")
        return {"shapes, test": shapes(20, 200), "more shapes, test": shapes(4, 201)}

    def strangers(self, part: Part) -> dict[str, Pictures]:
        strokes = [1, 2] * 10
        return {"scribbles": Pictures(scribbled, strokes, unknown(20), 7 if part == "test" else 8)}


class Leaking(Shapes):
    """One of the test pictures is trained on."""

    def training(self, number: int) -> dict[str, Pictures]:
        scans = Labelled(np.stack([np.asarray(shape(0, np.random.default_rng(1)).resize((28, 28)))]), np.array([0]))
        return {**super().training(number), "scans": scanned(scans)}

    def test(self) -> dict[str, Pictures]:
        return {"scans, test": super().training(0)["shapes"], "more, test": self.training(0)["scans"]}


class Doubtful(Shapes):
    """Its second validation set, which has the wrong labels, counts as well."""

    calibrated_on = 2

    def validation(self) -> dict[str, Pictures]:
        wrong = shapes(5, 102)
        wrong = Pictures(wrong.make, wrong.sources, np.roll(wrong.labels, 1), wrong.seed)
        return super().validation() | {"more shapes, validation": wrong}


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> tuple[Path, ModelCard]:
    out = tmp_path_factory.mktemp("catalogue") / "shapes"
    return out, make(Shapes(), out, SETTINGS, said.append, Watch())


@pytest.fixture(scope="module")
def log(made: tuple[Path, ModelCard]) -> Any:
    return json.loads((made[0] / "training.json").read_text(encoding="utf-8"))


def answers(folder: Path, pictures: Pictures) -> calibration.Logits:
    """What the written file says of pictures."""
    frames = pictures.frames(INK, 1).images[:, None].astype(np.float32) / 255
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    logits: calibration.Logits = session.run(["logits"], {"input": frames})[0]
    return logits


def test_the_folder_is_one_the_catalogue_takes(made: tuple[Path, ModelCard]) -> None:
    folder, card = made
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "card.yaml", "training.json", "training.png"}
    assert validate_folder(folder) == read_card(folder / "card.yaml") == card


def test_the_card_says_what_the_recipe_says(made: tuple[Path, ModelCard]) -> None:
    _, card = made
    assert (card.tag, card.title, card.labels, card.input) == ("shapes:1.0.0", "Discs, crosses and rings", KINDS, INK)
    assert card.provenance.recipe == "tests.training.test_making" and card.provenance.seed == 3
    assert card.provenance.data == ["shapes drawn for this test"] and card.provenance.revision == revision()


def test_the_metrics_are_of_the_file_test_pictures_first(made: tuple[Path, ModelCard]) -> None:
    folder, card = made
    recipe = Shapes()
    expected = recipe.test() | recipe.validation()
    assert [f"{one.dataset}, {one.split}" for one in card.metrics] == list(expected)
    for metrics, pictures in zip(card.metrics, expected.values(), strict=True):
        logits = answers(folder, pictures)
        chances = np.exp(calibration.log_softmax(logits, card.calibration.temperature))
        assert metrics.n == len(pictures)
        assert metrics.accuracy == pytest.approx((logits.argmax(axis=1) == pictures.labels).mean(), abs=1e-5)
        assert metrics.ece == pytest.approx(calibration.expected_calibration_error(chances, pictures.labels), abs=1e-3)


def test_temperature_and_threshold_are_chosen_on_the_first_validation_pictures(made: tuple[Path, ModelCard], log: Any) -> None:
    folder, card = made
    recipe = Shapes()
    first, pictures = next(iter(recipe.validation().items()))
    logits = answers(folder, pictures)
    temperature = card.calibration.temperature
    assert calibration.fit_temperature(logits, pictures.labels) == pytest.approx(temperature, rel=0.01)
    taken = calibration.out_of_distribution_scores(logits, card.rejection.score, temperature) >= card.rejection.threshold - 1e-4
    assert taken.mean() == pytest.approx(recipe.accepted, abs=1 / len(pictures))
    assert log["accepted"][first] == pytest.approx(taken.mean(), abs=1 / len(pictures))


def test_temperature_and_threshold_may_be_chosen_on_more_than_the_first(tmp_path: Path) -> None:
    recipe = Doubtful()
    card = make(recipe, tmp_path, SETTINGS, lambda _: None, Watch())
    sets = list(recipe.validation().values())
    logits, labels = np.concatenate([answers(tmp_path, one) for one in sets]), np.concatenate([one.labels for one in sets])
    temperature = card.calibration.temperature
    assert calibration.fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.01)
    assert calibration.fit_temperature(logits[: len(sets[0])], sets[0].labels) < 0.9 * temperature
    taken = calibration.out_of_distribution_scores(logits, card.rejection.score, temperature) >= card.rejection.threshold - 1e-4
    assert taken.mean() == pytest.approx(recipe.accepted, abs=1 / len(labels))


def test_the_log_tells_how_it_went(made: tuple[Path, ModelCard], log: Any, said: list[str]) -> None:
    folder, card = made
    assert [line["epoch"] for line in log["curve"]] == [1, 2]
    assert log["settings"]["seed"] == 3 and log["without"] == [] and log["parameters"] > 1000
    assert set(log["accepted"]) == {f"{one.dataset}, {one.split}" for one in card.metrics}
    assert set(log["auroc_test"]) == {"scribbles"} and 0 <= log["auroc_test"]["scribbles"] <= 1
    assert said == ["bank 1 of 2: 110 frames", "bank 2 of 2: 110 frames", "test pictures, read once"]
    with Image.open(folder / "training.png") as curves:
        assert curves.format == "PNG"


def test_an_experiment_leaves_sources_out_and_the_test_pictures_alone(tmp_path: Path) -> None:
    recipe, said = Shapes(), list[str]()
    out = tmp_path / "shapes"
    card = make(recipe, out, SETTINGS, said.append, Watch(), without=("shapes again", "scribbles"))
    assert said == ["bank 1 of 2: 60 frames", "bank 2 of 2: 60 frames"]
    assert [one.split for one in card.metrics] == ["validation", "validation"]
    log = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert log["without"] == ["shapes again", "scribbles"] and "auroc_test" not in log
    # The search for leaks asks for them as well, and looks at nothing but their scans.
    assert recipe.asked == ["test"]


def test_an_experiment_without_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Nothing is left to train on without s"):
        make(Shapes(), tmp_path / "shapes", SETTINGS, print, Watch(), without=("s",))


def test_a_recipe_that_leaks_is_not_followed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The split leaks: shapes: 1 pictures of 'scans' are in 'more, test' as well\."):
        make(Leaking(), tmp_path / "shapes", SETTINGS, print, Watch())
    assert not (tmp_path / "shapes").exists()


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, made: tuple[Path, ModelCard]) -> None:
    class CutOff(Watch):
        def epoch(self, line: Any) -> None:
            if line.epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(Shapes(), tmp_path, SETTINGS, lambda _: None, CutOff())
    assert (tmp_path / "checkpoint.pt").is_file()
    card = make(Shapes(), tmp_path, SETTINGS, lambda _: None, Watch())
    assert not (tmp_path / "checkpoint.pt").exists()
    assert [one.n for one in card.metrics] == [one.n for one in made[1].metrics]


def test_the_revision_is_that_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert revision() in (head.stdout.strip(), head.stdout.strip() + "+changes", "unknown")

    def no_git(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)
    assert revision() == "unknown"

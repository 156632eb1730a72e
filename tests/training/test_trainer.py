"""Training a recipe end to end, with three classes of shapes."""

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
from training.data.datasets import DataError, LabelledImages
from training.data.image_sets import INK, ImageSet
from training.data.outliers import outlier_set, render_scribble
from training.data.splits import Split
from training.fitting.loop import Callback, EpochResult, Settings
from training.fitting.network import plain_cnn
from training.recipe import Recipe
from training.trainer import revision, train_recipe

SETTINGS = Settings(epochs=2, batch_size=20, ema_decay=0.5, threads=1, processes=1, seed=3)
LABELS = ["disc", "cross", "ring"]


def draw_shape(label: int, rng: np.random.Generator) -> Image.Image:
    """Draw a disc, a cross or a ring of random size."""
    side = int(rng.integers(40, 90))
    image, width, end = Image.new("L", (side, side)), int(rng.integers(4, 9)), side - 8
    draw = ImageDraw.Draw(image)
    if label == 1:
        draw.line((8, 8, end, end), fill=255, width=width)
        draw.line((8, end, end, 8), fill=255, width=width)
    else:
        draw.ellipse((8, 8, end, end), fill=255 if label == 0 else 0, outline=255, width=width)
    return image


def shapes(count: int, seed: int) -> ImageSet:
    labels = np.tile(np.arange(3, dtype=np.int64), count)
    return ImageSet(draw_shape, labels, labels, seed)


class Shapes(Recipe):
    """A recipe of generated shapes, which records calls of ``test``."""

    name = "shapes"
    title = "Discs, crosses and rings"
    spec = INK
    sources = ("shapes drawn for this test",)
    settings = SETTINGS
    calls: list[str]

    def __init__(self) -> None:
        super().__init__(Path())
        self.calls = []

    @property
    def labels(self) -> list[str]:
        return LABELS

    def network(self) -> nn.Sequential:
        return plain_cnn((4, 8, 8, 8, 8, 16), 3)

    def training(self, number: int) -> dict[str, ImageSet]:
        strokes = [1, 2] * 10
        scribbles = outlier_set(render_scribble, strokes, 5)
        return {"shapes": shapes(20, number), "shapes again": shapes(10, 50 + number), "scribbles": scribbles}

    def validation(self) -> dict[str, ImageSet]:
        return {"shapes, validation": shapes(15, 100), "more shapes, validation": shapes(5, 101)}

    def test(self) -> dict[str, ImageSet]:
        self.calls.append("test")
        return {"shapes, test": shapes(20, 200), "more shapes, test": shapes(4, 201)}

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        strokes = [1, 2] * 10
        return {"scribbles": outlier_set(render_scribble, strokes, 7 if split == "test" else 8)}


class Leaking(Shapes):
    """A recipe with a test image in its training data."""

    def training(self, number: int) -> dict[str, ImageSet]:
        scans = LabelledImages(np.stack([np.asarray(draw_shape(0, np.random.default_rng(1)).resize((28, 28)))]), np.array([0]))
        return {**super().training(number), "scans": ImageSet.of(scans)}

    def test(self) -> dict[str, ImageSet]:
        return {"scans, test": super().training(0)["shapes"], "more, test": self.training(0)["scans"]}


class WrongValidation(Shapes):
    """A recipe calibrated on two validation sets, the second of which has wrong labels."""

    calibration_sets = 2

    def validation(self) -> dict[str, ImageSet]:
        wrong = shapes(5, 102)
        wrong = ImageSet(wrong.render, wrong.sources, np.roll(wrong.labels, 1), wrong.seed)
        return super().validation() | {"more shapes, validation": wrong}


@pytest.fixture(scope="module")
def messages() -> list[str]:
    return []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, messages: list[str]) -> tuple[Path, ModelCard]:
    out = tmp_path_factory.mktemp("catalogue") / "shapes"
    return out, train_recipe(Shapes(), out, SETTINGS, messages.append, Callback())


@pytest.fixture(scope="module")
def report(trained: tuple[Path, ModelCard]) -> Any:
    return json.loads((trained[0] / "training.json").read_text(encoding="utf-8"))


def exported_logits(folder: Path, images: ImageSet) -> calibration.Logits:
    """Logits of the exported model for images."""
    model_inputs = images.model_inputs(INK, 1).images[:, None].astype(np.float32) / 255
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    logits: calibration.Logits = session.run(["logits"], {"input": model_inputs})[0]
    return logits


def test_written_folder_is_a_valid_model(trained: tuple[Path, ModelCard]) -> None:
    folder, card = trained
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "card.yaml", "training.json", "training.png"}
    assert validate_folder(folder) == read_card(folder / "card.yaml") == card


def test_card_has_the_values_of_the_recipe(trained: tuple[Path, ModelCard]) -> None:
    _, card = trained
    assert (card.tag, card.title, card.labels, card.input) == ("shapes:1.0.0", "Discs, crosses and rings", LABELS, INK)
    assert card.provenance.recipe == "tests.training.test_trainer" and card.provenance.seed == 3
    assert card.provenance.data == ["shapes drawn for this test"] and card.provenance.revision == revision()


def test_metrics_are_of_the_exported_file_with_test_sets_first(trained: tuple[Path, ModelCard]) -> None:
    folder, card = trained
    recipe = Shapes()
    expected = recipe.test() | recipe.validation()
    assert [f"{one.dataset}, {one.split}" for one in card.metrics] == list(expected)
    for metrics, images in zip(card.metrics, expected.values(), strict=True):
        logits = exported_logits(folder, images)
        probabilities = np.exp(calibration.log_softmax(logits, card.calibration.temperature))
        assert metrics.n == len(images)
        assert metrics.accuracy == pytest.approx((logits.argmax(axis=1) == images.labels).mean(), abs=1e-5)
        assert metrics.ece == pytest.approx(calibration.expected_calibration_error(probabilities, images.labels), abs=1e-3)


def test_temperature_and_threshold_are_chosen_on_the_first_validation_set(trained: tuple[Path, ModelCard], report: Any) -> None:
    folder, card = trained
    recipe = Shapes()
    first, images = next(iter(recipe.validation().items()))
    logits = exported_logits(folder, images)
    temperature = card.calibration.temperature
    assert calibration.fit_temperature(logits, images.labels) == pytest.approx(temperature, rel=0.01)
    kept = calibration.out_of_distribution_scores(logits, card.rejection.score, temperature) >= card.rejection.threshold - 1e-4
    assert kept.mean() == pytest.approx(recipe.acceptance_rate, abs=1 / len(images))
    assert report["accepted"][first] == pytest.approx(kept.mean(), abs=1 / len(images))


def test_temperature_and_threshold_can_be_chosen_on_several_validation_sets(tmp_path: Path) -> None:
    recipe = WrongValidation()
    card = train_recipe(recipe, tmp_path, SETTINGS, lambda _: None, Callback())
    sets = list(recipe.validation().values())
    logits = np.concatenate([exported_logits(tmp_path, one) for one in sets])
    labels = np.concatenate([one.labels for one in sets])
    temperature = card.calibration.temperature
    assert calibration.fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.01)
    assert calibration.fit_temperature(logits[: len(sets[0])], sets[0].labels) < 0.9 * temperature
    kept = calibration.out_of_distribution_scores(logits, card.rejection.score, temperature) >= card.rejection.threshold - 1e-4
    assert kept.mean() == pytest.approx(recipe.acceptance_rate, abs=1 / len(labels))


def test_report_has_curve_settings_and_rates(trained: tuple[Path, ModelCard], report: Any, messages: list[str]) -> None:
    folder, card = trained
    assert [line["epoch"] for line in report["curve"]] == [1, 2]
    assert report["settings"]["seed"] == 3 and report["without"] == [] and report["parameters"] > 1000
    assert set(report["accepted"]) == {f"{one.dataset}, {one.split}" for one in card.metrics}
    assert set(report["auroc_test"]) == {"scribbles"} and 0 <= report["auroc_test"]["scribbles"] <= 1
    assert messages == ["training set 1 of 2: 110 images", "training set 2 of 2: 110 images", "reading the test sets, once"]
    with Image.open(folder / "training.png") as curves:
        assert curves.format == "PNG"


def test_without_leaves_sources_out_and_does_not_measure_test_sets(tmp_path: Path) -> None:
    recipe, messages = Shapes(), list[str]()
    out = tmp_path / "shapes"
    card = train_recipe(recipe, out, SETTINGS, messages.append, Callback(), without=("shapes again", "scribbles"))
    assert messages == ["training set 1 of 2: 60 images", "training set 2 of 2: 60 images"]
    assert [one.split for one in card.metrics] == ["validation", "validation"]
    report = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert report["without"] == ["shapes again", "scribbles"] and "auroc_test" not in report
    # The search for leaks reads them as well, but only compares their scans.
    assert recipe.calls == ["test"]


def test_leaving_all_sources_out_raises_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Nothing is left to train on without s"):
        train_recipe(Shapes(), tmp_path / "shapes", SETTINGS, print, Callback(), without=("s",))


def test_recipe_with_leaks_is_not_trained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The split leaks: shapes: 1 images of 'scans' are in 'more, test' as well\."):
        train_recipe(Leaking(), tmp_path / "shapes", SETTINGS, print, Callback())
    assert not (tmp_path / "shapes").exists()


def test_interrupted_run_is_resumed(tmp_path: Path, trained: tuple[Path, ModelCard]) -> None:
    class Interrupt(Callback):
        def on_epoch(self, result: EpochResult) -> None:
            if result.epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_recipe(Shapes(), tmp_path, SETTINGS, lambda _: None, Interrupt())
    assert (tmp_path / "checkpoint.pt").is_file()
    card = train_recipe(Shapes(), tmp_path, SETTINGS, lambda _: None, Callback())
    assert not (tmp_path / "checkpoint.pt").exists()
    assert [one.n for one in card.metrics] == [one.n for one in trained[1].metrics]


def test_revision_is_that_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert revision() in (head.stdout.strip(), head.stdout.strip() + "+changes", "unknown")

    def no_git(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)
    assert revision() == "unknown"

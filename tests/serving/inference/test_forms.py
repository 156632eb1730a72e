"""Classifiers of every usual form, imported and run as in the service, answer as onnxruntime does by hand."""

import asyncio
import json
from pathlib import Path
from time import perf_counter

import pytest

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.classifier import Classifier
from serving.inference.explanation import explain
from serving.inference.local_runner import open_runners
from serving.settings import Settings
from tests.models.conftest import catalogue, inspected_in_process, store  # noqa: F401
from tests.models.forms import FORMS, Form, picture, png


async def answers(card: ModelCard, folder: Path, count: int) -> tuple[list[list[float]], list[int], list[str]]:
    """Probabilities and batch sizes for copies of the picture, and the modes of the stages of an explanation."""
    settings = Settings(workers=1)
    runners, reasons = open_runners(folder / MODEL_FILE, card, settings, processes=1)
    classifier = Classifier(card, runners, reasons, settings)
    classifier.warm_up()
    token = CancellationToken(perf_counter() + 60)
    predictions = await classifier.predict([png(picture())] * count, "cpu", token)
    explained = await explain(classifier, png(picture()), "cpu", token)
    await classifier.close()
    found = [prediction for prediction in predictions if not isinstance(prediction, Problem)]
    assert len(found) == count
    sizes = [prediction.output.batch_size for prediction in found]
    return [prediction.probabilities.tolist() for prediction in found], sizes, [stage.image.mode for stage in explained.stages]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_model_answers_as_by_hand(form: Form, tmp_path: Path, catalogue: Path) -> None:  # noqa: F811
    path = form.save(tmp_path)
    assert main(["import", str(path), "--name", form.name, *form.options]) == 0
    folder = catalogue / form.name
    card = read_card(folder / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert card.labels == list(form.labels)
    assert card.fixed_batch == form.fixed_batch
    json.dumps(card.model_dump(mode="json"))
    expected = form.probabilities(path, picture())
    found, sizes, modes = asyncio.run(answers(card, folder, 3))
    for probabilities in found:
        assert probabilities == pytest.approx(expected, abs=form.tolerance)
    assert set(sizes) == {3 if form.fixed_batch is None else 1}
    assert set(modes) == {{"grey": "L", "RGBA": "RGBA"}.get(card.input.colour, "RGB")}


def test_imported_model_is_valid(tmp_path: Path, catalogue: Path) -> None:  # noqa: F811
    form = next(form for form in FORMS if form.name == "one-sigmoid")
    assert main(["import", str(form.save(tmp_path)), "--name", form.name, *form.options]) == 0
    assert main(["verify", str(catalogue / form.name)]) == 0

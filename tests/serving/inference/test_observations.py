"""Answers counted by bin, and the references of the models in service, as metrics."""

from collections.abc import Iterator

import numpy as np
import pytest

from models.card import CARD_FILE, Card, read_card
from models.reference import MAX_LABEL_BINS, OTHER, Reference
from models.store import CATALOGUE
from preprocessing import InputSpec
from serving.inference import observations
from serving.inference.image_preprocessor import PreprocessedImage
from serving.inference.local_runner import ModelOutput
from serving.inference.observations import Observations, export_references
from serving.inference.prediction import Prediction
from serving.process import metrics
from tests.support.references import N, reference

CARD = read_card(CATALOGUE / "digits" / CARD_FILE)
assert CARD.task == "classify"
SPEC: InputSpec = CARD.input


@pytest.fixture(autouse=True)
def no_other_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Metrics as in a new process."""
    monkeypatch.setattr(observations, "_exported", set())
    monkeypatch.setattr(observations, "_models", set())
    yield
    for metric in (metrics.observed_images, metrics.reference_share, metrics.reference_images):
        metric.clear()


def card(name: str, found: Reference | None, labels: list[str] | None = None) -> Card:
    return CARD.model_copy(update={"name": name, "reference": found, "labels": labels or CARD.labels})


def prediction(card: Card, label: str, confidence: float, *, rejected: bool = False, ink: float = 0.0) -> Prediction:
    count = len(card.labels)
    probabilities = np.full(count, (1 - confidence) / (count - 1))
    probabilities[card.labels.index(label)] = confidence
    tensor = np.full(SPEC.shape, ink, dtype=np.float32)
    output = ModelOutput(np.zeros(count, np.float32), 1, "", 0.0)
    return Prediction(PreprocessedImage((tensor,), 0.0, 0.0, (1,)), output, probabilities, "unlike" if rejected else None)


def counted(name: str) -> dict[tuple[str, str], float]:
    """The bins of a model that are not 0."""
    found = {
        (sample.labels["quantity"], sample.labels["bin"]): sample.value
        for sample in next(iter(metrics.observed_images.collect())).samples
        if sample.labels["model"] == name and sample.name.endswith("_total")
    }
    assert found
    return {place: value for place, value in found.items() if value}


def exported() -> dict[str, float]:
    """The sum of the shares of each model and quantity, and the pictures of each reference."""
    found: dict[str, float] = {}
    for sample in next(iter(metrics.reference_share.collect())).samples:
        name = f"{sample.labels['model']} {sample.labels['quantity']}"
        found[name] = found.get(name, 0.0) + sample.value
    for sample in next(iter(metrics.reference_images.collect())).samples:
        found[sample.labels["model"]] = sample.value
    return found


def test_an_answer_is_counted_in_one_bin_of_each_quantity() -> None:
    named = card("named", reference())
    observed = Observations(named, SPEC)
    observed.count(prediction(named, "7", 0.6, ink=0.2))
    observed.count(prediction(named, "7", 0.995, rejected=True, ink=0.995))
    confidences, inks = reference().bins("confidence"), reference().bins("ink")
    assert counted("named") == {
        ("label", "7"): 2,
        ("confidence", confidences[-2]): 1,
        ("confidence", confidences[-1]): 1,
        ("rejected", "false"): 1,
        ("rejected", "true"): 1,
        ("ink", inks[3]): 1,
        ("ink", inks[-1]): 1,
    }


def test_labels_without_a_bin_are_counted_together() -> None:
    rare = card("rare", reference(["0"] * N))
    observed = Observations(rare, SPEC)
    for label in ("0", "1", "2"):
        observed.count(prediction(rare, label, 0.9))
    assert {place: value for place, value in counted("rare").items() if place[0] == "label"} == {
        ("label", "0"): 1,
        ("label", OTHER): 2,
    }


def test_a_model_without_a_reference_is_counted_in_tenths_and_has_no_shares() -> None:
    without = card("without", None)
    Observations(without, SPEC).count(prediction(without, "7", 0.75, ink=0.15))
    bins = {("label", "7"): 1, ("confidence", "0.7-0.8"): 1, ("rejected", "false"): 1, ("ink", "0.1-0.2"): 1}
    assert counted("without") == bins
    export_references([without])
    assert exported() == {"without": 0}


def test_a_model_of_thousands_of_labels_has_few_bins() -> None:
    many = card("many", None, [f"label {index}" for index in range(5000)])
    Observations(many, SPEC).count(prediction(many, "label 4999", 0.9))
    samples = next(iter(metrics.observed_images.collect())).samples
    assert len({sample.labels["bin"] for sample in samples if sample.labels["quantity"] == "label"}) == MAX_LABEL_BINS + 1
    assert ("label", OTHER) in counted("many")


def test_references_of_the_models_in_service_replace_those_before() -> None:
    export_references([card("first", reference()), card("second", reference())])
    before = exported()
    assert {name: value for name, value in before.items() if name.startswith("first ")} == pytest.approx(
        {f"first {quantity}": 1 for quantity in ("label", "confidence", "rejected", "ink")}
    )
    other = reference(["a", "b"] * 400)
    export_references([card("first", other, ["a", "b"]), card("third", None)])
    found = exported()
    assert (found["first"], found["second"], found["third"]) == (800, 0, 0)
    assert found["first label"] == pytest.approx(1) and found["second label"] == 0
    assert metrics.reference_share.labels("first", "label", "7")._value.get() == 0

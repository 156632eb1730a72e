"""The reference on a model card: its bins, its validation, and the mean ink it counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from models.card import CARD_FILE, CardError, SequenceCard, read_card, write_card
from models.reference import MAX_LABEL_BINS, OTHER, QUANTITIES, InkMeter, build_reference
from models.store import CATALOGUE, card_folders
from preprocessing import Geometry, InputSpec, Normalisation, PhotoGeometry, tensor
from tests.support.references import N, reference

CARDS = {folder.name: read_card(folder / CARD_FILE) for folder in card_folders()}


# The characters of a sequence are counted, but not compared: how many of each are sent depends on what is written.
@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if not isinstance(card, SequenceCard)])
def test_every_model_of_single_characters_has_a_reference_of_its_first_test_set(name: str) -> None:
    card = CARDS[name]
    assert not isinstance(card, SequenceCard) and card.reference is not None
    assert (card.reference.dataset, card.reference.split, card.reference.n) == (
        card.metrics[0].dataset,
        card.metrics[0].split,
        card.metrics[0].n,
    )
    assert card.reference.rejected / card.reference.n < 0.05


def test_bins_lie_between_quantiles_and_every_answer_is_in_one() -> None:
    found = reference()
    assert found.bins("label") == [*"0123456789", OTHER]
    assert found.bins("ink")[:3] == ["0-0.01", "0.01-0.05", "0.05-0.0999"]
    assert found.bins("confidence")[-1].endswith("-1")
    assert found.bins("rejected") == ["false", "true"] and found.counts("rejected") == [980, 20]
    for quantity in QUANTITIES:
        assert sum(found.counts(quantity)) == N and len(found.bins(quantity)) == len(found.counts(quantity))
        assert sum(found.shares(quantity)) == pytest.approx(1) and min(found.shares(quantity)) > 0


def test_values_are_counted_in_the_bins_of_the_reference() -> None:
    found = reference()
    assert found.count("label", ["3", "3", "unknown", OTHER]).tolist() == [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert found.count("rejected", [True, False, True]).tolist() == [1, 2]
    assert found.count("ink", [-1.0, found.ink.edges[0], 7.0]).tolist() == [1, 1, *[0] * 7, 1]


def test_a_model_of_many_labels_has_few_bins() -> None:
    labels = [f"label {index % 500}" for index in range(5000)]
    found = reference([*labels, *["common"] * 100])
    assert len(found.bins("label")) == MAX_LABEL_BINS + 1
    assert found.label["common"] == 100
    assert found.other == 5100 - sum(found.label.values()) > 4000


def test_rare_labels_and_a_label_called_other_are_counted_together() -> None:
    found = reference(["a"] * 990 + ["rare"] * 4 + [OTHER] * 6)
    assert found.label == {"a": 990} and found.other == 10


def test_answers_that_are_all_alike_have_two_bins() -> None:
    found = build_reference(["a"] * N, [1.0] * N, [False] * N, [0.0] * N, dataset="drawn", split="test")
    assert found.confidence.counts == [0, N] and found.ink.counts == [N, 0]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"n": 999}, "must add up to n, 999, not to 1000"),
        ({"rejected": 2000}, "rejected must add up"),
        ({"other": -1}, "greater than or equal to 0"),
        ({"ink": {"edges": [0.5, 0.4], "counts": [1, 2, N - 3]}}, "edges must rise"),
        ({"ink": {"edges": [0.5], "counts": [N]}}, "1 edges need 2 counts"),
        ({"label": {OTHER: N}, "other": 0}, "must be counted in other"),
    ],
)
def test_counts_that_do_not_fit_are_rejected(changed: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        reference(**changed)


def test_a_card_without_a_reference_is_read_and_one_of_other_labels_is_not(tmp_path: Path) -> None:
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    content = yaml.safe_load((CATALOGUE / "digits" / CARD_FILE).read_text(encoding="utf-8"))
    content.pop("reference", None)
    (tmp_path / CARD_FILE).write_text(yaml.safe_dump(content), encoding="utf-8")
    old = read_card(tmp_path / CARD_FILE)
    assert old == card.model_copy(update={"reference": None})
    write_card(old.model_copy(update={"reference": reference()}), tmp_path / CARD_FILE)
    assert read_card(tmp_path / CARD_FILE).reference == reference()
    write_card(old.model_copy(update={"reference": reference(["x"] * N)}), tmp_path / CARD_FILE)
    with pytest.raises(CardError, match="reference names x, which is not in labels"):
        read_card(tmp_path / CARD_FILE)


SPECS = [
    InputSpec(height=20, width=30, geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"), **changed)
    for changed in (
        {},
        {"layout": "NHWC", "colour": "RGB"},
        {"layout": "NP", "type": "uint8", "normalisation": Normalisation(scale=255)},
        {"colour": "BGR", "normalisation": Normalisation(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))},
        {"colour": "RGBA", "type": "float16"},
        {"type": "float64", "normalisation": Normalisation(mean=(0.5,), std=(0.5,))},
    )
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.layout} {spec.type} {spec.colour}")
def test_mean_ink_is_the_same_in_every_layout_type_and_normalisation(spec: InputSpec) -> None:
    frame = np.zeros((20, 30), dtype=np.uint8)
    frame[:10, :15] = 200
    assert InkMeter(spec)(tensor(frame, spec)) == pytest.approx(0.25 * 200 / 255, abs=2e-3)


def test_ink_counts_as_ink_in_either_polarity_and_an_inverted_input_stands_out() -> None:
    dark = SPECS[0].model_copy(update={"geometry": Geometry(fit_box=20, centring="mass", polarity="dark_on_light")})
    frame = np.full((20, 30), 255, dtype=np.uint8)
    frame[:2] = 0
    assert InkMeter(dark)(tensor(frame, dark)) == pytest.approx(0.1, abs=1e-5)
    assert InkMeter(SPECS[0])(tensor(frame, SPECS[0])) == pytest.approx(0.9, abs=1e-5)


def test_mean_ink_of_a_large_photo_is_its_brightness() -> None:
    statistics = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    spec = InputSpec(height=224, width=224, colour="RGB", geometry=PhotoGeometry(), normalisation=statistics)
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    assert InkMeter(spec)(tensor(Image.fromarray(noise), spec)) == pytest.approx(float(noise.mean()) / 255, abs=0.02)

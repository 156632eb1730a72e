"""The headline, bars and details of an answer."""

import pytest

from tests.ui.fake_service import LETTERS
from tests.ui.gallery_helpers import make_classification, make_scenes
from ui.api.schemas import Classification
from ui.components import charts


def test_bars_mark_only_the_predicted_label() -> None:
    text = charts.bars({"3": 0.2, "7": 0.8}, make_classification("7"))
    assert text.count('class="bar predicted"') == 1
    assert text.count('class="bar"') == 1
    assert 'style="width:80.00%"' in text
    assert "many" not in text
    assert text.index(">3<") < text.index(">7<")


def test_many_bars_are_in_two_columns() -> None:
    assert 'class="bars many" style="--rows: 14"' in charts.bars(
        dict.fromkeys([*LETTERS, "drawing"], 1 / 27), make_classification("A")
    )


def test_many_bars_with_long_names_are_in_one_column() -> None:
    probabilities = {f"{letter}, as botanists call it": 1 / 26 for letter in LETTERS}
    assert '<ul class="bars">' in charts.bars(probabilities, make_classification("A"))


def test_bars_of_a_multi_label_model_mark_each_label_that_applies() -> None:
    scenes = make_scenes()
    text = charts.bars(scenes.probabilities, scenes)
    assert text.count('class="bar predicted"') == text.count("aria-current") == 2
    assert text.count('class="bar"') == 2
    none = make_scenes(probabilities={"sky": 0.4, "water": 0.49}, confidence=0.49)
    assert "predicted" not in charts.bars(none.probabilities, none)


def test_most_likely_begins_with_the_label() -> None:
    probabilities = {letter: index / 1000 for index, letter in enumerate(LETTERS)}
    answer = make_classification("A", probabilities=probabilities)
    assert list(charts.most_likely(answer)) == ["A", *"ZYXWVUTSR"]
    assert list(charts.most_likely(answer, 3)) == ["A", "Z", "Y"]


def test_bars_are_not_wider_than_their_track() -> None:
    assert "width:100.00%" in charts.bars({"7": 1.0000001}, make_classification("7"))


def test_headline_shows_label_confidence_top_labels_and_category() -> None:
    text = charts.headline(make_classification("7", category={"label": "letter", "confidence": 0.97}))
    assert 'data-label="7"' in text
    assert "99.1%" in text
    assert text.count("<li>") == 3
    assert "category letter, 97.0%" in text
    assert "best guess" not in text
    assert "category" not in charts.headline(make_classification("7"))


@pytest.mark.parametrize(
    ("label", "size"),
    [("7", "label"), ("drawing", "label long"), ("Ankle boot", "label long"), ("An old Ankle boot", "label longer")],
)
def test_long_labels_are_in_a_smaller_font(label: str, size: str) -> None:
    assert f'<div class="{size}">{label}</div>' in charts.headline(make_classification(label))


def test_headline_of_a_rejected_picture_says_best_guess() -> None:
    text = charts.headline(make_classification("7", rejected=True))
    assert 'class="headline uncertain"' in text
    assert "best guess" in text


def test_headline_of_a_multi_label_model_has_all_labels_that_apply() -> None:
    text = charts.headline(make_scenes())
    assert ">water, sky</div>" in text
    assert "2 of 4 labels" in text and "have at least 50%, each for itself" in text
    assert "almost certain" not in text and "uncertain" not in text
    assert charts.screen_reader_text(make_scenes()) == "water, sky: 2 of 4 labels have at least 50%, each for itself"


def test_headline_without_a_label_that_applies_says_so() -> None:
    text = charts.headline(make_scenes(probabilities={"sky": 0.4, "water": 0.49}, confidence=0.49))
    assert ">No label</div>" in text and "0 of 2 labels" in text and 'class="headline uncertain"' in text


def test_rejected_picture_of_a_multi_label_model_has_one_best_guess() -> None:
    rejected = make_scenes(rejected=True)
    text = charts.headline(rejected)
    assert ">water</div>" in text and "97.0%" in text and "best guess" in text
    assert "labels" not in charts.screen_reader_text(rejected)


def test_headline_names_at_most_four_labels() -> None:
    probabilities = {f"label {number}": 1 - number / 100 for number in range(7)}
    text = charts.headline(make_scenes(probabilities=probabilities, label="label 0"))
    assert "label 0, label 1, label 2, label 3 and 3 more</div>" in text
    assert "7 of 7 labels" in text


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (0.991, "almost certain"),
        (0.99, "almost certain"),
        (0.95, "very likely"),
        (0.8, "likely"),
        (0.5, "unsure"),
        (0.1, "hardly more than a guess"),
    ],
)
def test_confidence_text(confidence: float, text: str) -> None:
    assert charts.confidence_text(make_classification("7", confidence=confidence)) == text


def test_screen_reader_text() -> None:
    assert charts.screen_reader_text(make_classification("7")) == "7: almost certain, 99.1%"


def test_labels_are_escaped() -> None:
    assert "<b>&lt;i&gt;</b>" in charts.headline(make_classification("7", top=[{"label": "<i>", "confidence": 1}]))
    assert "<i>" not in charts.bars({"<i>": 1.0}, make_classification("<i>"))


def test_details_show_model_provider_batch_and_times() -> None:
    text = charts.details(make_classification("7"))
    assert "digits 1.0.0 · CPU · batch of 4 · 1.1 ms (decode 0.5, preprocess 0.1, queue 0.2, inference 0.1)" in text
    assert "batch of 1 " in charts.details(make_classification("7", batch_size=1))
    assert "tokenise 2.0" in charts.details(make_classification("7", timings_ms={"tokenise": 2, "total": 3}))


def test_details_omit_missing_fields() -> None:
    bare = Classification(model="digits", label="7", confidence=1)
    assert charts.details(bare) == '<p class="answer-details">digits</p>'


@pytest.mark.usefixtures("korean")
def test_details_in_korean() -> None:
    assert "4장 묶음 · 1.1 ms (디코딩 0.5, 전처리 0.1, 대기 0.2, 추론 0.1)" in charts.details(make_classification("7"))

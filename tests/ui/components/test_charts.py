"""The headline and bars of an answer."""

import re

import pytest

from tests.ui.fake_service import LETTERS
from tests.ui.gallery_helpers import make_classification, make_scenes
from ui.components import charts


def test_bars_mark_only_the_predicted_label() -> None:
    text = charts.bars(make_classification("7", probabilities={"3": 0.2, "7": 0.8}))
    assert text.count('class="bar predicted"') == 1
    assert text.count('class="bar"') == 1
    assert 'style="width:80.00%"' in text
    assert "many" not in text
    assert text.index('data-label="3"') < text.index('data-label="7"')


def test_unlikely_classes_have_no_bar() -> None:
    probabilities = {"1": 0.0009, "3": 0.02, "5": 0.0, "7": 0.979}
    text = charts.bars(make_classification("7", probabilities=probabilities))
    assert re.findall('class="bar(?: predicted)?".*? data-label="(.)"', text) == ["3", "7"]
    assert text.endswith('<p class="other-classes">The other 2: under 0.1% each</p>')
    one = charts.bars(make_classification("7", probabilities={"3": 0.0001, "7": 0.9999}))
    assert "The other one: under 0.1%" in one
    assert "other-classes" not in charts.bars(make_classification("7", probabilities={"3": 0.2, "7": 0.8}))


def test_predicted_label_has_a_bar_however_unlikely() -> None:
    probabilities = {"dog": 0.0005, "cat": 0.0004}
    assert 'data-label="dog"' in charts.bars(make_classification("dog", probabilities=probabilities))


def test_of_many_classes_the_most_likely_have_bars_and_the_others_are_folded() -> None:
    probabilities = dict.fromkeys(LETTERS, 0.02) | {"Q": 0.5, "Z": 0.0001}
    shown, folded = charts.bars(make_classification("Q", probabilities=probabilities)).split('<details class="other-classes">')
    assert shown.count("<li") == charts.MOST_LIKELY
    assert shown.index("<li") == shown.index('<li class="bar predicted"')
    assert "<summary>The other 16: at most 2.0% each</summary>" in folded
    assert folded.count("<li") == 15 and "predicted" not in folded


def test_only_the_most_likely_of_a_thousand_classes_can_be_unfolded() -> None:
    probabilities = {f"label {number}": (1000 - number) / 500_500 for number in range(1000)}
    text = charts.bars(make_classification("label 0", probabilities=probabilities))
    assert text.count("<li") == charts.MOST_LIKELY + charts.MAX_BARS
    assert "The other 990: at most 0.2% each" in text


def test_many_bars_are_in_two_columns() -> None:
    probabilities = dict.fromkeys([*LETTERS, "drawing"], 1 / 27)
    assert 'class="bars many" style="--rows: 14"' in charts.bar_list(probabilities, make_classification("A"))


def test_many_bars_with_long_names_are_in_one_column() -> None:
    probabilities = {f"{letter}, as botanists call it": 1 / 26 for letter in LETTERS}
    assert '<ul class="bars">' in charts.bar_list(probabilities, make_classification("A"))


def test_bars_of_a_multi_label_model_mark_each_label_that_applies() -> None:
    text = charts.bars(make_scenes())
    assert text.count('class="bar predicted"') == text.count("aria-current") == 2
    assert text.count('class="bar"') == 2
    none = make_scenes(probabilities={"sky": 0.4, "water": 0.49}, confidence=0.49)
    assert "predicted" not in charts.bars(none)


def test_bars_of_a_rejected_picture_are_folded_and_mark_none() -> None:
    text = charts.folded_bars(make_classification("7", rejected=True))
    assert text.startswith('<details class="other-classes"><summary>How close')
    assert text.count('class="bar"') == 10 and "predicted" not in text
    assert charts.folded_bars(make_classification("7", rejected=True, probabilities={})) == ""


def test_most_likely_begins_with_the_label() -> None:
    probabilities = {letter: index / 1000 for index, letter in enumerate(LETTERS)}
    answer = make_classification("A", probabilities=probabilities)
    assert list(charts.most_likely(answer, 10)) == ["A", *"ZYXWVUTSR"]


def test_bars_are_not_wider_than_their_track() -> None:
    assert "width:100.00%" in charts.bars(make_classification("7", probabilities={"7": 1.0000001}))


def test_words_of_an_answer_do_not_run_together() -> None:
    answer = make_classification("Z", category={"label": "letter", "confidence": 0.97})
    assert re.sub("<[^>]*>", "", charts.headline(answer)) == "Z almost certain 99.1% letter"
    assert re.sub("<[^>]*>", "", charts.bar_list({"Z": 0.8}, answer)) == "Z  80.0%"


def test_headline_shows_label_confidence_and_category() -> None:
    text = charts.headline(make_classification("7", category={"label": "digit", "confidence": 0.97}))
    assert 'data-label="7"' in text
    assert "99.1%" in text
    assert ">digit</span>" in text and "97.0%" not in text
    assert "digit" not in charts.headline(make_classification("7"))


@pytest.mark.parametrize(
    ("label", "size"),
    [("7", "label"), ("drawing", "label long"), ("Ankle boot", "label long"), ("An old Ankle boot", "label longer")],
)
def test_long_labels_are_in_a_smaller_font(label: str, size: str) -> None:
    assert f'<div class="{size}">{label}</div>' in charts.headline(make_classification(label))


def test_headline_of_a_multi_label_model_has_all_labels_that_apply() -> None:
    text = charts.headline(make_scenes())
    assert ">water, sky</div>" in text
    assert "2 of 4 labels" in text and "have at least 50%, each for itself" in text
    assert "almost certain" not in text and "uncertain" not in text
    assert charts.screen_reader_text(make_scenes()) == "water, sky: 2 of 4 labels have at least 50%, each for itself"


def test_headline_without_a_label_that_applies_says_so() -> None:
    text = charts.headline(make_scenes(probabilities={"sky": 0.4, "water": 0.49}, confidence=0.49))
    assert ">No label</div>" in text and "0 of 2 labels" in text and 'class="headline uncertain"' in text


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
    answer = make_classification("<i>", probabilities={"<i>": 1.0})
    assert "<i>" not in charts.headline(answer) + charts.bars(answer)
    assert 'data-label="&lt;i&gt;"' in charts.bars(answer)

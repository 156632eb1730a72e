"""The headline, bars and details of an answer."""

import pytest

from tests.ui.fake_service import LETTERS
from tests.ui.gallery_helpers import make_classification
from ui.api.schemas import Classification
from ui.components import charts


def test_bars_mark_only_the_winner() -> None:
    text = charts.bars({"3": 0.2, "7": 0.8}, "7")
    assert text.count('class="bar winner"') == 1
    assert text.count('class="bar"') == 1
    assert 'style="width:80.00%"' in text
    assert "many" not in text
    assert text.index(">3<") < text.index(">7<")


def test_many_bars_are_in_two_columns() -> None:
    assert 'class="bars many" style="--rows: 14"' in charts.bars(dict.fromkeys([*LETTERS, "drawing"], 1 / 27), "A")


def test_most_likely_begins_with_the_winner() -> None:
    probabilities = {letter: index / 1000 for index, letter in enumerate(LETTERS)}
    assert list(charts.most_likely(probabilities, "A")) == ["A", *"ZYXWVUTSR"]


def test_bars_are_not_wider_than_their_track() -> None:
    assert "width:100.00%" in charts.bars({"7": 1.0000001}, "7")


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
    assert "rejected" in text
    assert "best guess" in text


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
    assert "<i>" not in charts.bars({"<i>": 1.0}, "<i>")


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

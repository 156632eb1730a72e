"""The HTML of one answer."""

from tests.ui.fake_service import model
from tests.ui.gallery_helpers import make_classification
from ui.api.schemas import Model
from ui.views.answer import answer_html, screen_reader_text

DIGITS = Model.model_validate(model("digits"))


def test_model_name_is_shown_only_if_named() -> None:
    assert '<h3 class="model">digits</h3>' in answer_html(make_classification("7"), DIGITS, named=True)
    assert "<h3" not in answer_html(make_classification("7"), DIGITS, named=False)


def test_each_number_is_shown_once() -> None:
    text = answer_html(
        make_classification("7", confidence=0.98765, probabilities={"1": 0.01235, "7": 0.98765}), DIGITS, named=False
    )
    assert text.count("98.8%") == 2  # in the headline and at its bar
    assert text.count("1.2%") == 1
    assert "digits 1.0.0" not in text and "CPU" not in text


def test_rejected_answer_does_not_look_like_an_answer() -> None:
    text = answer_html(make_classification("0", rejected=True, reject_reason="max_softmax is 0.88."), DIGITS, named=False)
    assert "I do not recognise this." in text
    assert text.index("I do not recognise") < text.index("<details")
    visible = text.partition("<details")[0]
    assert "%" not in visible and "max_softmax" not in text
    assert "predicted" not in text and 'class="label' not in text


def test_screen_reader_text() -> None:
    assert screen_reader_text(make_classification("7")) == "7: almost certain, 99.1%"
    assert screen_reader_text(make_classification("T", rejected=True)) == "I do not recognise this. It might be T."

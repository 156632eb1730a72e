"""HTML of the answer of a sequence model."""

import re

import pytest

from tests.ui.fake_service import sequence_classification
from ui.api.schemas import Classification
from ui.components import sequence_answer


def answer(text: str = "1987", **changes: object) -> Classification:
    return Classification.model_validate(sequence_classification(text, **changes))  # type: ignore[arg-type]


def text_of(html: str) -> str:
    """Return what a reader sees of HTML, with its line breaks."""
    return re.sub(r"<[^>]*>", "", html)


def test_text_has_its_confidence_and_other_readings() -> None:
    html = sequence_answer.to_html(answer(), None)
    assert 'data-label="1987"' in html
    assert "1987" in text_of(html)
    assert "very likely" in html and "96.0%" in html
    assert "<u " not in html
    assert sequence_answer.other_readings(answer("42")) == (
        '<div class="readings"><span>Or</span> <ul><li><b>46</b> <span>2.0%</span></li></ul></div>'
    )


def test_lines_are_kept_in_the_text_and_side_by_side_elsewhere() -> None:
    html = sequence_answer.to_html(answer("305\n28"), None)
    assert "305\n28" in text_of(html)
    assert "305 / 26" in sequence_answer.other_readings(answer("305\n28"))


def test_unsure_characters_are_underlined_and_named() -> None:
    unsure = answer(unsure=[1, 3])
    html = sequence_answer.to_html(unsure, None)
    assert re.findall(r'<u class="unsure">(.)</u>', html) == ["9", "7"]
    assert "I am not sure of this text." in html
    assert "character 2 (“9”), character 4 (“7”)" in html
    assert "1986" in html
    assert "%" not in text_of(html)  # a high probability would look like an answer
    assert sequence_answer.screen_reader_text(unsure).startswith("I am not sure of this text: 1987.")
    assert sequence_answer.is_recognised(unsure)
    assert not sequence_answer.is_recognised(answer(unsure=[0, 1, 2, 3]))


def test_selected_character_has_bars() -> None:
    html = sequence_answer.to_html(answer(), 1)
    assert "Character 2 of 4: " in html
    assert '<span class="selected">9</span>' in html
    assert re.findall('class="bar-name">(.)<', html) == ["9", "1"]
    assert "Select a character" in sequence_answer.to_html(answer(), None)


@pytest.mark.parametrize(("unsure", "ending"), [([], "98.0%"), ([1], "41.0%, unsure")])
def test_name_of_a_character_says_what_was_read(unsure: list[int], ending: str) -> None:
    characters = answer(unsure=unsure).characters
    assert characters is not None
    assert sequence_answer.character_name(1, characters) == f"Character 2 of 4: 9, {ending}"


def test_text_of_the_service_is_escaped() -> None:
    dangerous = sequence_classification("42", label="<b>4</b>2")
    dangerous["characters"][0]["label"] = "<b>4</b>"
    html = sequence_answer.to_html(Classification.model_validate(dangerous), 0)
    assert "<b>4</b>2" not in html
    assert "&lt;b&gt;4&lt;/b&gt;" in html


def test_text_that_is_not_made_of_the_characters_is_shown_as_it_is() -> None:
    assert "17" in sequence_answer.to_html(answer("42", label="17"), None)

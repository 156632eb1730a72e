"""The cards of the gallery."""

import re

import pytest

from tests.ui.fake_service import PNG, WEBP, gallery_entry
from tests.ui.gallery_helpers import make_classification, make_scenes
from ui.api.gallery_schemas import SavedPicture
from ui.components.cards import saved_card, session_card


def test_cards_escape_all_texts() -> None:
    text = '<script>"'
    entry = SavedPicture.model_validate(gallery_entry("1", text, model=text, corrected="<b>"))
    for card in (session_card(make_classification(text), PNG, text), saved_card(entry)):
        assert "<script" not in card
        assert "<b>" not in card.replace("<b>&lt;", "").replace("<b>1", "").replace("<b>2", "")
        assert "&lt;script&gt;&quot;" in card


def test_session_card_without_thumbnail_has_no_image() -> None:
    with_image = session_card(make_classification("7"), WEBP)
    without = session_card(make_classification("4", rejected=True), None, "The gallery is full.")
    assert "data:image/webp;base64," in with_image
    assert "<img" not in without
    assert 'data-label="4"' in without
    assert "not recognised" in without
    assert "Not saved: The gallery is full." in without


@pytest.mark.parametrize(
    ("corrected", "label", "status"),
    [(None, "7", ""), ("7", "7", "confirmed"), ("1", "1", "corrected, was 7")],
)
def test_saved_card_shows_the_corrected_label(corrected: str | None, label: str, status: str) -> None:
    text = saved_card(SavedPicture.model_validate(gallery_entry("1", corrected=corrected)))
    assert f'data-label="{label}"' in text
    assert f'<span class="card-label">{label}</span>' in text
    assert status in text
    assert "digits · 99.1%" in text
    assert ("confirmed" in text, "was 7" in text) == ("confirmed" in status, "was 7" in status)


def test_session_card_shows_the_corrected_label() -> None:
    text = session_card(make_classification("7", rejected=True), PNG, corrected="1")
    assert 'data-label="1"' in text and "corrected, was 7" in text and "not recognised" not in text
    assert "confirmed" in session_card(make_classification("7"), PNG, corrected="7")


def test_words_of_a_card_do_not_run_together() -> None:
    card = session_card(make_classification("Z", rejected=True), None)
    assert re.sub("<[^>]*>", "", card).startswith("not recognised It might be Z")
    assert re.sub("<[^>]*>", "", session_card(make_classification("Z"), None)).startswith("Z 99.1%")


def test_cards_of_rejected_pictures_show_no_label_as_the_answer() -> None:
    several = session_card(make_classification("4", rejected=True, reject_reason="It shows several characters."), None)
    saved = saved_card(SavedPicture.model_validate(gallery_entry("1", "4", rejected=True)))
    for card, text in ((several, "several characters"), (saved, "not recognised")):
        assert f'<span class="card-label long">{text}</span>' in card
        assert ">4<" not in card


def test_session_card_of_a_multi_label_model_has_a_probability_for_each_label() -> None:
    top = [{"label": "water", "confidence": 0.97}, {"label": "sky", "confidence": 0.62}]
    text = session_card(make_scenes(top=top), PNG)
    assert ">water, sky</span>" in text and "card-confidence" not in text
    assert "<b>water</b> <span>97.0%</span>" in text and "<b>sky</b> <span>62.0%</span>" in text

"""What is written on the cards of the gallery."""

import pytest

from tests.ui.service import PNG, WEBP, kept
from tests.ui.visits import answer
from ui.answers import KeptPicture
from ui.cards import fresh
from ui.cards import kept as kept_card


def test_cards_escape_what_they_are_told() -> None:
    told = '<script>"'
    entry = KeptPicture.model_validate(kept("1", told, model=told, corrected="<b>"))
    for text in (fresh(answer(told), PNG, told), kept_card(entry)):
        assert "<script" not in text
        assert "<b>" not in text.replace("<b>&lt;", "").replace("<b>1", "").replace("<b>2", "")
        assert "&lt;script&gt;&quot;" in text


def test_a_card_shows_what_there_is_to_show() -> None:
    seen, unseen = fresh(answer("7"), WEBP), fresh(answer("4", rejected=True), None, "The gallery is full.")
    assert "data:image/webp;base64," in seen
    assert "<img" not in unseen
    assert 'data-label="4"' in unseen
    assert "not recognised" in unseen
    assert "Not kept: The gallery is full." in unseen


@pytest.mark.parametrize(
    ("corrected", "label", "words"),
    [(None, "7", ""), ("7", "7", "confirmed"), ("1", "1", "corrected, was 7")],
)
def test_a_kept_card_shows_the_label_that_counts(corrected: str | None, label: str, words: str) -> None:
    text = kept_card(KeptPicture.model_validate(kept("1", corrected=corrected)))
    assert f'data-label="{label}"' in text
    assert f'<span class="card-label">{label}</span>' in text
    assert words in text
    assert "digits · 99.1%" in text
    assert ("confirmed" in text, "was 7" in text) == ("confirmed" in words, "was 7" in words)

"""The answer to a rejected picture."""

import re

import pytest

from tests.ui.fake_service import fashion_model, photo_model
from tests.ui.gallery_helpers import make_classification
from ui.api.schemas import Classification, ModelCard
from ui.components import cards, file_table, rejection

DIGITS = ModelCard(labels=[*"0123456789"])
SEVERAL = "The picture shows several characters (about 2), and this model reads one at a time."


def rejected(**changes: object) -> Classification:
    """Create the answer to a picture that is most like a 0."""
    return make_classification("0", rejected=True, reject_reason="max_softmax is 0.88, below 0.92", **changes)


def words(text: str) -> str:
    """Return the text without its elements."""
    return re.sub(" +", " ", re.sub("<[^>]*>", " ", text)).strip()


def test_rejected_picture_has_no_large_label_and_says_what_it_might_be() -> None:
    probabilities = {"0": 0.5, "3": 0.11, "6": 0.29, "7": 0.1, "9": 0.09}
    text = rejection.to_html(rejected(probabilities=probabilities), DIGITS)
    assert "I do not recognise this. It might be 0, 6 or 3. Show one thing only" in words(text)
    assert 'class="label' not in text
    assert "%" not in text and "max_softmax" not in text


def test_rejected_picture_that_is_like_one_label_only() -> None:
    answer = rejected(probabilities={"0": 0.877, "3": 0.09})
    assert rejection.text(answer) == "I do not recognise this. It might be 0."


def test_several_characters_are_said_to_be_several() -> None:
    several = make_classification("7", rejected=True, reject_reason=SEVERAL)
    text = words(rejection.to_html(several, DIGITS))
    assert text.startswith("I see several characters; this model reads one at a time. Leave only one of them")
    assert "might be" not in text and "about 2" not in text
    assert rejection.text(several) == "I see several characters; this model reads one at a time."
    assert "several characters" in file_table.rejection_text(several)
    assert "several characters" in cards.session_card(several, None)


def test_other_rejections_do_not_mention_several_characters() -> None:
    assert "several" not in rejection.to_html(rejected(), DIGITS)
    assert "several" not in file_table.rejection_text(rejected()) + cards.session_card(rejected(), None)
    assert not make_classification("7", reject_reason=SEVERAL).several_characters


def test_advice_for_a_photo_does_not_mention_strokes() -> None:
    for entry in (photo_model(), fashion_model()):
        text = rejection.to_html(rejected(), ModelCard.model_validate(entry["card"]))
        assert "strokes" not in text and "well lit" in text
    assert "strokes" in rejection.to_html(rejected(), DIGITS)


def test_labels_are_escaped() -> None:
    text = rejection.to_html(make_classification("<i>", rejected=True, probabilities={"<i>": 1.0}), DIGITS)
    assert "<i>" not in text and "It might be &lt;i&gt;." in text


@pytest.mark.usefixtures("korean")
def test_rejections_in_korean() -> None:
    text = rejection.text(rejected(probabilities={"0": 0.5, "6": 0.4}))
    assert text == "무엇인지 알아보지 못했습니다. 0 또는 6일 수도 있습니다."
    several = words(rejection.to_html(make_classification("7", rejected=True, reject_reason=SEVERAL), DIGITS))
    assert "글자가 여러 개 보입니다" in several and not re.search("[a-z]{2}", several)

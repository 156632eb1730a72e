"""Notices: the hint on an empty page, rejected pictures, errors and a service that does not answer."""

from collections.abc import Sequence

import pytest

from tests.ui.fake_service import CLOTHES, LETTERS, fashion_model, photo_model
from tests.ui.gallery_helpers import make_classification
from ui.api.client import ServiceUnavailable
from ui.api.schemas import ModelCard
from ui.components import cards, file_table, markup, notices
from ui.state.session import DRAW, UPLOAD

DIGITS = ModelCard(labels=[*"0123456789"])
SEVERAL = "The picture shows several characters (about 2), and this model reads one at a time."


def test_alert_escapes_title_and_message() -> None:
    assert "<p><b>a&lt;b</b>: c &amp; d</p>" in notices.alert("c & d", title="a<b")
    assert "<p><b>a</b></p>" in notices.alert("", title="a")
    assert "<p>c</p>" in notices.alert("c")


def test_several_characters_have_their_own_notice() -> None:
    several = make_classification("7", rejected=True, reject_reason=SEVERAL)
    text = notices.rejection_notice(several, DIGITS)
    assert "shows several characters" in text and markup.escape(SEVERAL) in text
    assert "does not look like" not in text
    assert "several characters" in file_table.rejection_text(several)
    assert "several characters" in cards.session_card(several, None)


def test_other_rejections_do_not_mention_several_characters() -> None:
    other = make_classification("7", rejected=True, reject_reason="Energy too low.")
    assert "several" not in notices.rejection_notice(other, DIGITS)
    assert "several" not in file_table.rejection_text(other) + cards.session_card(other, None)
    assert not make_classification("7", reject_reason=SEVERAL).several_characters


@pytest.mark.parametrize(
    ("labels", "description"),
    [
        ("0123456789", "a digit"),
        (LETTERS, "a letter"),
        (["digit", "letter", "drawing"], "a digit, a letter or a drawing"),
        ([*"0123456789", *LETTERS, "drawing"], "a digit, a letter or a drawing"),
        (["ant", "bee"], "an ant or a bee"),
        (["digit", "ant"], "a digit or an ant"),
        ("가나다", "a letter"),
        ("+-", "a sign"),
        (CLOTHES, ""),
        ([], ""),
    ],
)
def test_describe_labels(labels: Sequence[str], description: str) -> None:
    assert notices.describe_labels(labels) == description


def test_notices_of_a_photo_model_do_not_put_its_labels_into_sentences() -> None:
    card = ModelCard.model_validate(photo_model()["card"] | {"labels": ["fresh", "rotten"]})
    hint = notices.empty_hint(UPLOAD, card)
    assert "Upload a picture<" in hint and "Labels of this model: fresh, rotten<" in hint
    rejected = notices.rejection_notice(make_classification("fresh", rejected=True, model="fruit"), card)
    assert "This does not look like the pictures that fruit was trained on." in rejected


def test_advice_for_a_rejected_photo_does_not_mention_strokes() -> None:
    rejected = make_classification("7", rejected=True)
    for entry in (photo_model(), fashion_model()):
        text = notices.rejection_notice(rejected, ModelCard.model_validate(entry["card"]))
        assert "strokes" not in text and "well lit" in text
    assert "strokes" in notices.rejection_notice(rejected, DIGITS)


def test_long_lists_of_labels_are_shortened() -> None:
    assert notices.list_labels(["a", "b"]) == "a, b"
    assert notices.list_labels([str(number) for number in range(1000)]).endswith(" 58, 59, ...")
    assert notices.list_labels(["x" * 90] * 1000) == ", ".join(["x" * 90] * 4) + ", ..."
    assert notices.list_labels(["x" * 500, "y"]) == "x" * 500 + ", ..."


def test_unavailable_text_names_address_and_reason() -> None:
    text = notices.unavailable_text(ServiceUnavailable("http://127.0.0.1:3000", "no connection"))
    assert text.startswith("The service at http://127.0.0.1:3000 does not answer: no connection.")


@pytest.mark.usefixtures("korean")
def test_notices_in_korean() -> None:
    assert notices.describe_labels([*"0123456789", *LETTERS, "drawing"]) == "숫자, 글자 또는 그림"
    assert "캔버스에 숫자 하나를 그려 보세요" in notices.empty_hint(DRAW, DIGITS)
    assert "숫자처럼 보이지 않습니다." in notices.rejection_notice(make_classification("7", rejected=True), DIGITS)
    several = make_classification("7", rejected=True, reject_reason=SEVERAL)
    assert "글자가 여러 개 보입니다" in notices.rejection_notice(several, DIGITS)

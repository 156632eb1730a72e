"""Notices: the hint on an empty page, errors and a service that does not answer."""

from collections.abc import Sequence

import pytest

from tests.ui.fake_service import CLOTHES, LETTERS, photo_model
from ui.api.client import ServiceUnavailable
from ui.api.schemas import ModelCard
from ui.components import notices
from ui.state.session import DRAW, UPLOAD

DIGITS = ModelCard(labels=[*"0123456789"])


def test_alert_escapes_title_and_message() -> None:
    assert "<p><b>a&lt;b.</b> c &amp; d</p>" in notices.alert("c & d", title="a<b")
    assert "<p><b>a</b> </p>" in notices.alert("", title="a")
    assert "<p>c</p>" in notices.alert("c")
    assert "</p> <details><summary>Details</summary> <p>e&lt;f</p></details>" in notices.alert("c", details="e<f")


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
    assert "Upload a picture<" in hint and "This model knows: fresh, rotten<" in hint


def test_long_lists_of_labels_are_shortened() -> None:
    assert notices.list_labels(["a", "b"]) == "a, b"
    assert notices.list_labels([str(number) for number in range(1000)]).endswith(" 58, 59, ...")
    assert notices.list_labels(["x" * 90] * 1000) == ", ".join(["x" * 90] * 4) + ", ..."
    assert notices.list_labels(["x" * 500, "y"]) == "x" * 500 + ", ..."


def test_unavailable_service_says_that_nothing_is_lost_and_folds_the_address() -> None:
    text = notices.unavailable_alert(ServiceUnavailable("http://127.0.0.1:3000", "no connection"))
    assert "<b>The service does not answer at the moment.</b> Your picture is not lost." in text
    assert text.index("<summary>Details</summary>") < text.index("http://127.0.0.1:3000 does not answer: no connection.")
    assert "reference" not in text


def test_alert_has_the_request_id_under_its_details() -> None:
    text = notices.alert("c", details="d", reference="<7f>")
    reference = '<p class="reference">Reference for the operator: <code>&lt;7f&gt;</code></p>'
    assert f"<p>d</p> {reference}</details>" in text


@pytest.mark.usefixtures("korean")
def test_notices_in_korean() -> None:
    assert notices.describe_labels([*"0123456789", *LETTERS, "drawing"]) == "숫자, 글자 또는 그림"
    assert "캔버스에 숫자 하나를 그려 보세요" in notices.empty_hint(DRAW, DIGITS)

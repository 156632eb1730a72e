"""The technical details of an answer."""

import re

import pytest

from tests.ui.fake_service import model
from tests.ui.gallery_helpers import make_classification
from ui.api.schemas import Classification, Model
from ui.components import details

DIGITS = Model.model_validate(model("digits", title="Handwritten digits"))


def rows(text: str) -> dict[str, str]:
    """Return the values by their terms."""
    return dict(re.findall("<dt>(.*?)</dt> <dd>(.*?)</dd>", text))


def test_details_of_a_rejected_picture() -> None:
    changes = {"rejected": True, "reject_reason": "Energy <too> low.", "category": {"label": "digit", "confidence": 0.97}}
    assert rows(details.to_html(make_classification("7", **changes), DIGITS)) == {
        "Model": "digits 1.0.0",
        "Description": "Handwritten digits",
        "Computed on": "CPU",
        "Pictures computed together": "4",
        "Category": "digit, 97.0%",
        "Time": "1.1 ms (decode 0.5, preprocess 0.1, queue 0.2, inference 0.1)",
        "Why it was not recognised": "Energy &lt;too&gt; low.",
    }


def test_unknown_timings_keep_their_names() -> None:
    answer = make_classification("7", timings_ms={"tokenise": 2, "total": 3})
    assert rows(details.to_html(answer, DIGITS))["Time"] == "3.0 ms (tokenise 2.0)"


def test_missing_fields_are_left_out() -> None:
    bare = Classification(model="digits", label="7", confidence=1)
    assert rows(details.to_html(bare, Model(name="digits"))) == {"Model": "digits"}


@pytest.mark.usefixtures("korean")
def test_details_in_korean() -> None:
    assert "1.1 ms (디코딩 0.5, 전처리 0.1, 대기 0.2, 추론 0.1)" in details.to_html(make_classification("7"), DIGITS)

"""Which labels correct an entry of the gallery."""

from pathlib import Path

import pytest

from models.card import Card
from serving.errors import Problem
from serving.http.gallery_schemas import check_label
from tests.models.catalogues import add_model, add_sequence


@pytest.fixture
def cards(tmp_path: Path) -> dict[str, Card]:
    digits = add_model(tmp_path, "digits", ["0", "1"])
    return {"digits": digits, "numbers": add_sequence(tmp_path, "numbers", digits.tag, ["0", "1"])}


@pytest.mark.parametrize(
    ("model", "label"), [("digits", "1"), ("numbers", "1"), ("numbers", "01\n10"), ("numbers", "0\n" * 3 + "1")]
)
def test_labels_and_texts_of_the_model_are_taken(cards: dict[str, Card], model: str, label: str) -> None:
    check_label(cards.__getitem__, max_characters=4)(model, label)


@pytest.mark.parametrize(
    ("model", "label", "reason"),
    [
        ("digits", "01", r"label='01' is not one of the labels of digits: 0, 1\.$"),
        ("numbers", "2", r"label='2' is not a text of 1 to 4 labels of numbers: 0, 1\. Separate lines by a newline"),
        ("numbers", "", "label='' is not a text"),
        ("numbers", "0\n\n1", "is not a text"),
        ("numbers", "1\n", "is not a text"),
        ("numbers", "01\n101", "is not a text of 1 to 4 labels"),
    ],
)
def test_other_labels_are_refused(cards: dict[str, Card], model: str, label: str, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as refused:
        check_label(cards.__getitem__, max_characters=4)(model, label)
    assert refused.value.code == "bad_request"

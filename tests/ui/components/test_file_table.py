"""The table of many files as HTML and as CSV."""

import csv
import io

import pytest

from tests.ui.fake_service import PNG
from tests.ui.gallery_helpers import make_classification, make_scenes
from ui.api.client import ServiceError
from ui.components import file_table
from ui.state.files import FileResult

DAMAGED = ServiceError(status=422, title="Unprocessable", detail="It ends too early.", code="undecodable")


def test_table_shows_labels_and_errors() -> None:
    rows = [
        FileResult("seven.png", PNG, make_classification("7")),
        FileResult("odd.png", PNG, make_classification("7", rejected=True)),
        FileResult("cut.jpg", None, DAMAGED),
        FileResult("late.png", None, None),
    ]
    text = file_table.to_html(rows)
    assert text.count("<tr data-label=") == 4
    assert text.count('data-label="7"') == 2
    assert "99.1%" in text
    assert text.count("not recognised") == 1
    assert "This picture is damaged. Save it again, or send another one." in text
    assert text.count("not classified yet") == 1
    assert text.count("<img") == 2


def test_table_escapes_file_names_and_labels() -> None:
    text = file_table.to_html([FileResult("<img src=x onerror=alert(1)>.png", None, make_classification("<b>"))])
    assert "<img" not in text
    assert "<b>" not in text


def test_csv_can_be_parsed() -> None:
    rows = [
        FileResult('칠, "7".png', PNG, make_classification("7")),
        FileResult("odd\nname.png", PNG, make_classification("-", rejected=True, confidence=0.5)),
        FileResult("cut.jpg", None, DAMAGED),
        FileResult("late.png", None, None),
    ]
    data = file_table.to_csv(rows)
    assert data.startswith("\ufefffile,label,".encode())
    seven, odd, cut, late = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert (seven["file"], seven["label"], seven["confidence"], seven["rejected"]) == ('칠, "7".png', "7", "0.991", "false")
    assert (seven["model"], seven["version"], seven["error"]) == ("digits", "1.0.0", "")
    assert (odd["file"], odd["label"], odd["confidence"], odd["rejected"]) == ("odd\nname.png", "-", "0.5", "true")
    assert (cut["label"], cut["error"]) == ("", "This picture is damaged. Save it again, or send another one.")
    assert late["error"] == "not classified yet"


@pytest.mark.parametrize(
    "name", ["=1+1.png", "+7.png", "-7.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "＝1.png", "\n=1.png"]
)
def test_csv_escapes_formulas(name: str) -> None:
    data = file_table.to_csv([FileResult(name, None, make_classification("=cmd|'/c calc'!A1"))])
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row["file"] == f"'{name}"
    assert row["label"].startswith("'=")


def test_table_of_a_multi_label_model_has_all_labels_that_apply() -> None:
    none = make_scenes(probabilities={"sky": 0.4, "water": 0.49}, confidence=0.49)
    rows = [FileResult("a.png", None, make_scenes()), FileResult("b.png", None, none), FileResult("c.png", None, DAMAGED)]
    text = file_table.to_html(rows)
    assert ">water, sky</td>" in text and ">2 of 4 labels</td>" in text
    assert ">No label</td>" in text
    found = csv.DictReader(io.StringIO(file_table.to_csv(rows, multi_label=True).decode("utf-8-sig"), newline=""))
    one, nothing, failed = found
    assert (one["label"], one["confidence"], one["labels"]) == ("water", "0.97", "water; sky")
    assert (nothing["label"], nothing["confidence"], nothing["labels"]) == ("water", "0.49", "")
    assert failed["labels"] == ""

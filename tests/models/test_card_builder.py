from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.card import CardError, file_sha256
from models.card_builder import build_card, hints_of, read_partial_card
from models.card_options import fields_from_options, merge, parse_labels, preset_fields, preset_remark
from models.labels import make_distinct
from models.pictures import folder_labels
from models.presets import PRESETS
from models.sandbox import Hints, InputHints, ModelReport
from preprocessing import PhotoGeometry

FORM = {"layout": "NCHW", "type": "float32", "height": 56, "width": 56, "colour": "grey", "normalisation": {"scale": 1.0}}
REPORT = ModelReport(input=FORM, columns=2, changes=[], latency_ms={1: 1.0}, memory_mib=1, golden_output=[1.0, 0.0])
PATH = Path("card.yaml")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("0-3", ["0", "1", "2", "3"]),
        ("8-11", ["8", "9", "10", "11"]),
        ("A-C", ["A", "B", "C"]),
        ("0-1,a-b, dog", ["0", "1", "a", "b", "dog"]),
        ("T-shirt,Bag", ["T-shirt", "Bag"]),
        ("cat,", ["cat", ""]),
    ],
)
def test_labels_are_lists_and_ranges(text: str, labels: list[str]) -> None:
    assert parse_labels(text) == labels


def test_labels_are_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("T-shirt, or top\n\nTrouser\r\n 0-9 \n")
    assert parse_labels(str(tmp_path / "labels.txt")) == ["T-shirt, or top", "Trouser", "0-9"]


def test_labels_are_a_file_of_json(tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('{"Trouser": 1, "Bag": 0}')
    assert parse_labels(str(tmp_path / "classes.json")) == ["Bag", "Trouser"]


def test_file_without_labels_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('{"classes": 3}')
    with pytest.raises(CardError, match="holds no labels; write one a line, or JSON"):
        parse_labels(str(tmp_path / "classes.json"))


@pytest.mark.parametrize("folders", [["hen", "Crane"], ["train/hen", "train/Crane", "test/hen", ".git"]])
def test_folders_of_pictures_are_labels_in_alphabetical_order(tmp_path: Path, folders: list[str]) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert folder_labels(tmp_path) == ["Crane", "hen"]


def test_labels_of_two_classes_get_their_number() -> None:
    labels, remarks = make_distinct(["crane", "hen", "crane"])
    assert labels == ["crane (class 0)", "hen", "crane (class 2)"]
    assert remarks == ["labels of more than one class (crane) have the number of their class after them"]
    assert make_distinct(["hen", "crane"]) == (["hen", "crane"], [])


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_text_that_is_not_labels_is_rejected(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "labels").write_bytes(content)
    with pytest.raises(CardError, match="neither labels with commas, nor a range, nor a readable file"):
        parse_labels(str(tmp_path / "labels"))


FIELDS = st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8)


@given(st.dictionaries(st.sampled_from("abc"), FIELDS), st.dictionaries(st.sampled_from("abc"), FIELDS))
def test_merge_overrides_and_keeps_the_rest(fields: dict[str, Any], over: dict[str, Any]) -> None:
    both = merge(fields, over)
    assert merge(both, over) == both
    assert set(both) == set(fields) | set(over)
    assert all(both[key] == fields[key] for key in set(fields) - set(over))
    assert all(both[key] == value for key, value in over.items() if not isinstance(value, dict))


def test_options_set_fields_of_the_card() -> None:
    assert fields_from_options(
        {"name": "digits", "std": [0.5], "fit_box": 20, "centring": "box", "data": ["a", "b"], "replace": True}
    ) == {
        "name": "digits",
        "input": {"geometry": {"fit_box": 20, "centring": "box"}, "normalisation": {"std": [0.5]}},
        "provenance": {"data": ["a", "b"]},
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "some.onnx"
    path.write_bytes(b"some bytes")
    return path


def test_missing_fields_have_defaults(source: Path) -> None:
    card = build_card({"name": "marks", "labels": ["a", "b"]}, REPORT, source, source, PATH)
    assert (card.version, card.title, card.licence, card.metrics) == ("1.0.0", "marks", "not told", [])
    assert (card.input.height, card.input.placement.fit_box, card.input.placement.centring) == (56, 40, "mass")
    assert (card.calibration.temperature, card.rejection.threshold) == (1, 0)
    assert card.provenance.recipe == "imported"
    assert card.provenance.seed is None
    assert file_sha256(source) == card.sha256
    assert card.sha256 in card.provenance.revision


def test_object_fills_the_frame_by_default(source: Path) -> None:
    given = {"name": "bags", "labels": ["a", "b"], "input": {"geometry": {"subject": "object"}}}
    geometry = build_card(given, REPORT, source, source, PATH).input.placement
    assert (geometry.fit_box, geometry.centring) == (56, "box")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "Marks!"}, r"name: "),
        ({"version": "1"}, r"version: "),
        ({"labels": ["a", "a"]}, "labels must be distinct"),
        ({"labels": ["a", ""]}, r"labels\.1: "),
        ({"input": []}, r"input"),
        ({"input": {"geometry": {"fit_box": 57}}}, "larger than size 56"),
        ({"colour": "red"}, "colour: "),
        ({"sha256": "0" * 64}, "sha256 is not that of"),
    ],
)
def test_invalid_field_is_named(source: Path, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        build_card({"name": "marks", "labels": ["a", "b"], **fields}, REPORT, source, source, PATH)


@pytest.mark.parametrize("levels", [{"std": 0}, {"std": -1}, {"mean": 1e9}, {"mean": "x"}, {"scale": 0}, [], 1, {"sd": 1}])
def test_invalid_normalisation_is_rejected(levels: object) -> None:
    with pytest.raises(CardError, match=r"card\.yaml: input\.normalisation"):
        hints_of({"input": {"normalisation": levels}}, PATH)


@pytest.mark.parametrize("fields", [{"input": []}, {"input": {"layout": "NCWH"}}, {"input": {"height": "x"}}, {"output": 1}])
def test_invalid_description_is_rejected_before_the_file_is_read(fields: dict[str, Any]) -> None:
    with pytest.raises(CardError, match=r"card\.yaml: (in|out)put"):
        hints_of(fields, PATH)


def test_hints_have_only_what_was_given() -> None:
    hints = hints_of({"labels": ["a", "b"], "input": {"normalisation": {"mean": 0.5}, "geometry": {}}}, PATH)
    assert hints == Hints(labels=2, input=InputHints(normalisation={"mean": [0.5]}))


def test_colour_is_a_photo_by_default(source: Path) -> None:
    report = REPORT.model_copy(update={"input": {**FORM, "colour": "RGB"}})
    card = build_card({"name": "pets", "labels": ["a", "b"]}, report, source, source, PATH)
    assert card.input.geometry == PhotoGeometry(fit="stretch", filter="bilinear")
    assert any("--subject photo" in remark for remark in card.remarks)
    assert any("--colour RGB" in remark for remark in card.remarks)


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_is_a_card_that_assumes_nothing_of_the_subject(source: Path, name: str) -> None:
    report = REPORT.model_copy(update={"input": {**FORM, "colour": "grey" if "mnist" in name else "RGB"}})
    given = merge(preset_fields(name), {"name": "some", "labels": ["a", "b"]})
    card = build_card(given, report, source, source, PATH)
    assert card.input.geometry.subject in preset_remark(name)
    assert not any("--subject" in remark for remark in card.remarks)


def test_preset_is_printed_as_options() -> None:
    assert preset_remark("emnist") == (
        "the preset emnist is --transposed --subject ink --polarity light_on_dark --scale 1 --mean 0 --std 1"
    )


@pytest.mark.parametrize("content", ["", "- 1", "name: [", "\x00", "task: cascade"])
def test_content_that_is_not_a_classifier_card_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "card.yaml").write_text(content)
    with pytest.raises(CardError, match=str(tmp_path)):
        read_partial_card(tmp_path / "card.yaml")

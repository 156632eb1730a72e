"""Reading pictures with the sequences of the catalogue, and the metrics of what was read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.processes import ROOT
from tests.support.sequences import sheet
from training.evaluation.sequences import Answer, SequenceReader, edit_distance, read_all, sequence_metrics

TEXTS = st.text("012", max_size=7)


@pytest.mark.parametrize("name", ["numbers", "text"])
def test_a_sheet_of_two_lines_is_read(name: str) -> None:
    reader = SequenceReader(ROOT / "models", name)
    assert reader.read(sheet(["42", "1987"])) == "42\n1987"


def test_blank_paper_and_too_much_writing_give_no_text() -> None:
    reader = SequenceReader(ROOT / "models", "numbers")
    assert reader.read(Image.new("L", (200, 100), 255)) == ""
    assert reader.read(sheet(["1" * 22] * 3)) == ""


def test_pictures_are_read_with_their_texts() -> None:
    reader = SequenceReader(ROOT / "models", "numbers")
    assert read_all(reader, [(sheet(["73"]), "73"), (sheet(["4"]), "7")]) == [Answer("73", "73"), Answer("4", "7")]


def test_exact_match_counts_texts_and_error_rate_counts_characters() -> None:
    answers = [Answer("12", "12"), Answer("13", "12"), Answer("", "12"), Answer("1212", "12")]
    found = sequence_metrics(answers, dataset="made up", split="test", length=2)
    assert (found.n, found.length, found.exact_match) == (4, 2, 0.25)
    assert found.character_error_rate == (0 + 1 + 2 + 2) / 8


@pytest.mark.parametrize(
    ("text", "other", "edits"), [("kitten", "sitting", 3), ("", "abc", 3), ("12", "1\n2", 1), ("same", "same", 0)]
)
def test_known_edit_distances(text: str, other: str, edits: int) -> None:
    assert edit_distance(text, other) == edits


@given(TEXTS, TEXTS, TEXTS)
def test_edit_distance_is_a_metric(first: str, second: str, third: str) -> None:
    assert edit_distance(first, second) == edit_distance(second, first)
    assert (edit_distance(first, second) == 0) == (first == second)
    assert edit_distance(first, third) <= edit_distance(first, second) + edit_distance(second, third)

"""Counts by label and the line of times."""

from ui.components import file_summary
from ui.state.file_statistics import LabelCounts, Performance


def test_labels_are_listed_with_their_counts() -> None:
    text = file_summary.label_counts(LabelCounts((("<b>", 12), ("7", 3)), rejected=2, failed=1))
    assert "<b>&lt;b&gt;</b> <span>12</span>" in text
    assert "<b>7</b> <span>3</span>" in text
    assert "<b>not recognised</b> <span>2</span>" in text
    assert "<b>not read</b> <span>1</span>" in text
    assert "not r" not in file_summary.label_counts(LabelCounts((("7", 3),), rejected=0, failed=0))


def test_many_labels_are_summed_up() -> None:
    labels = tuple((str(number), 2) for number in range(file_summary.MAX_LABELS + 5))
    text = file_summary.label_counts(LabelCounts(labels, 0, 0))
    assert text.count("<li") == file_summary.MAX_LABELS + 1
    assert "<b>5 other labels</b> <span>10</span>" in text


def test_line_of_times() -> None:
    text = file_summary.performance(Performance(20, 2, 31.4, 3.25, 1200.0, (4, 16)))
    assert "31 pictures a second (20 in all, requests: 2)" in text
    assert "at most 3.2 ms, nine in ten at most 1,200.0 ms" in text
    assert "computed at once: 4, 16" in text
    assert "computed" not in file_summary.performance(Performance(20, 2, 3.14, 3.25, 1200.0, ()))

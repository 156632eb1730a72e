"""The folder of results of deploy.bulk: rows are there once, in order, and never mixed with those of another run."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deploy.bulk.classifier import RESULTS
from deploy.bulk.errors import OutputError
from deploy.bulk.outputs import CSV_FILE, LOG_FILE, PARQUET_FILE, PARTS, Output

MADE_BY = {"model": "digits", "version": "1.0.0", "sha256": {"a": "b"}, "limits": {}, "input_fingerprint": "1"}


def rows(*numbers: int) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [None] * len(numbers) for name in RESULTS.names}
    columns |= {"row": list(numbers), "name": [f"{number}.png" for number in numbers], "label": ["7"] * len(numbers)}
    return pa.table(columns, schema=RESULTS)


@contextmanager
def claimed(folder: Path, made_by: dict[str, Any] = MADE_BY) -> Iterator[Output]:
    """The folder of results of a run, while the block runs."""
    output = Output(folder)
    with output.opened():
        output.claim(made_by)
        yield output


def test_rows_of_two_runs_are_in_the_order_of_the_input(tmp_path: Path) -> None:
    with claimed(tmp_path / "out") as first:
        first.add(rows(3, 1))
    with claimed(tmp_path / "out") as second:
        assert second.done_rows().tolist() == [1, 3]
        second.add(rows(2, 0))
        second.finish(4)
    names = [f"{number}.png" for number in range(4)]
    assert pq.read_table(tmp_path / "out" / PARQUET_FILE)["name"].to_pylist() == names
    with (tmp_path / "out" / CSV_FILE).open(encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    assert not (tmp_path / "out" / PARTS).exists()
    with claimed(tmp_path / "out") as third:
        assert third.finished


def test_part_that_was_being_written_at_a_crash_is_ignored(tmp_path: Path) -> None:
    with claimed(tmp_path) as output:
        output.add(rows(0))
        output._write_part()
        (tmp_path / PARTS / "000001.parquet.new").write_bytes(b"PAR1 half a file")
        assert output.done_rows().tolist() == [0]
        output.add(rows(1))
        assert len(output.finish(2)) == 2


@pytest.mark.parametrize("numbers", [(0, 1), (0, 1, 1, 2)])
def test_missing_or_double_rows_are_refused(numbers: tuple[int, ...], tmp_path: Path) -> None:
    with claimed(tmp_path) as output:
        output.add(rows(*numbers))
        with pytest.raises(OutputError, match="instead of 3"):
            output.finish(3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "letters"}, "its model is digits, and not letters"),
        ({"version": "1.1.0"}, "its version is 1.0.0, and not 1.1.0"),
        ({"sha256": {"a": "c"}}, "its sha256 is"),
        ({"limits": {"side": 1}}, "its limits is"),
        ({"input_fingerprint": "2"}, "INPUT has changed"),
    ],
)
def test_rows_of_different_runs_are_never_mixed(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with claimed(tmp_path):
        pass
    with pytest.raises(OutputError, match=reason), claimed(tmp_path, MADE_BY | change):
        pass


def test_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(OutputError, match="not empty"), claimed(tmp_path):
        pass
    with pytest.raises(OutputError, match="is a file"), claimed(tmp_path / "thesis.txt"):
        pass


def test_two_runs_cannot_use_a_folder_at_a_time(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(OutputError, match="Another run"), claimed(tmp_path):
        pass


@pytest.mark.parametrize("there", [False, True])
def test_folder_that_is_not_claimed_is_left_as_it_was(there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    if there:
        folder.mkdir()
    with pytest.raises(ZeroDivisionError), Output(folder).opened():
        (folder / LOG_FILE).write_text("Ray was started")
        _ = 1 / 0
    assert folder.exists() == there and not list(tmp_path.glob("out/*"))

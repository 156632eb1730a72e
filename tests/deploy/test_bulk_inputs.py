"""The inputs of deploy.bulk: what they list, how they are divided into batches, and what their readers give."""

import os
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deploy.bulk.errors import InputError
from deploy.bulk.files import FolderInput, ZipInput
from deploy.bulk.inputs import PictureInput, batches, make_listing
from deploy.bulk.parquet import ParquetInput
from serving.errors import Problem

LIMIT = 100


def contents(pictures: PictureInput, size: int = 2) -> dict[str, bytes | str]:
    """What the reader of an input gives for each name: bytes, or the code of the problem; read in batches of ``size``."""
    read = pictures.reader(LIMIT)
    found: dict[str, bytes | str] = {}
    for batch in batches(pictures.listing(), size, 10**9):
        values = [each.code if isinstance(each, Problem) else each for each in read(batch)]
        found.update(zip(batch["name"].to_pylist(), values, strict=True))
    return found


def parquet(folder: Path, images: list[bytes | None], file: str = "a.parquet", **columns: list[Any]) -> Path:
    pq.write_table(pa.table({"image": pa.array(images, pa.binary()), **columns}), folder / file, row_group_size=3)
    return folder / file


def parquet_input(*files: Path, column: str = "image", names: str | None = None) -> ParquetInput:
    return ParquetInput(files[0].parent, files, column, names)


def test_folder_is_listed_by_path_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.png", "a/2.png", "a/10.png", ".hidden", ".git/config", "__MACOSX/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert contents(FolderInput(tmp_path)) == {name: name.encode() for name in ("a/10.png", "a/2.png", "b.png")}


def test_links_to_files_are_listed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").write_bytes(b"x")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "broken.png").symlink_to(tmp_path / "nothing")
    assert contents(FolderInput(tmp_path / "in")) == {"link.png": b"x"}


def test_folder_with_a_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")).write_bytes(b"x")
    assert contents(FolderInput(tmp_path)) == {"caf\\xe9.png": b"x"}


def test_file_beyond_the_limit_is_a_problem_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (LIMIT + 5))
    (tmp_path / "largest").write_bytes(b"x" * LIMIT)
    pictures = FolderInput(tmp_path)
    large, largest = pictures.reader(LIMIT)(pictures.listing())
    assert isinstance(large, Problem)
    assert (large.code, largest) == ("too_large", b"x" * LIMIT)
    assert "105 bytes" in large.detail


def test_file_that_is_removed_after_the_listing_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    pictures = FolderInput(tmp_path)
    listing = pictures.listing()
    (tmp_path / "a").unlink()
    (problem,) = pictures.reader(LIMIT)(listing)
    assert isinstance(problem, Problem)
    assert (problem.code, "No such file" in problem.detail) == ("unreadable", True)


def test_zip_is_listed_in_its_order_and_expands_no_more_than_the_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("z.png", b"z")
        archive.writestr("folder/a.png", b"a")
        archive.writestr("./b.png", b"b")
        archive.writestr("__MACOSX/z.png", b"m")
        archive.writestr("bomb", b"x" * 10_000_000)
    assert contents(ZipInput(tmp_path / "a.zip")) == {
        "z.png": b"z",
        "folder/a.png": b"a",
        "./b.png": b"b",
        "bomb": "too_large",
    }


def test_corrupt_member_of_a_zip_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"first member")
        archive.writestr("b", b"second member")
    file.write_bytes(file.read_bytes().replace(b"first member", b"First member"))
    assert contents(ZipInput(file)) == {"a": "unreadable", "b": b"second member"}


def test_parquet_rows_are_named_by_file_and_row_or_by_a_column(tmp_path: Path) -> None:
    images: list[bytes | None] = [bytes([65 + i]) for i in range(7)]
    images[5] = None
    first = parquet(tmp_path, images, id=[f"n{i}" for i in range(7)])
    second = parquet(tmp_path, [b"y"], "b.parquet", id=["m"])
    expected = [image or b"" for image in images]
    by_row = contents(parquet_input(first, second))
    assert by_row == {f"a.parquet:{i}": image for i, image in enumerate(expected)} | {"b.parquet:0": b"y"}
    by_id = contents(parquet_input(first, second, names="id"))
    assert by_id == {f"n{i}": image for i, image in enumerate(expected)} | {"m": b"y"}


def test_parquet_rows_that_are_left_are_read_in_any_selection(tmp_path: Path) -> None:
    pictures = parquet_input(parquet(tmp_path, [bytes([65 + i]) for i in range(7)]))
    read = pictures.reader(LIMIT)
    listing = pictures.listing()
    rows = [[0, 2], [1], [5], [3, 4], [6]]  # also backwards in a row group
    assert [list(read(listing.take(each))) for each in rows] == [[b"A", b"C"], [b"B"], [b"F"], [b"D", b"E"], [b"G"]]


def test_parquet_struct_of_hugging_face_is_read(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"image": [{"bytes": b"x", "path": "a.png"}, {"bytes": None, "path": "b.png"}]}), tmp_path / "h.parquet"
    )
    assert contents(parquet_input(tmp_path / "h.parquet")) == {"h.parquet:0": b"x", "h.parquet:1": b""}


def test_missing_columns_are_refused_with_those_there_are(tmp_path: Path) -> None:
    file = parquet(tmp_path, [b"x"], label=["a"])
    with pytest.raises(InputError, match=r"no binary column 'picture'.*Binary columns: image\."):
        parquet_input(file, column="picture").listing()
    with pytest.raises(InputError, match=r"no column 'id'\. There are: image, label\."):
        parquet_input(file, names="id").listing()


@pytest.mark.parametrize("make", [FolderInput, ZipInput])
def test_unusable_input_is_refused(make: Any, tmp_path: Path) -> None:
    place = tmp_path
    if make is ZipInput:
        place = tmp_path / "text"
        place.write_text("no archive")
    with pytest.raises(InputError):
        make(place).listing()


def test_names_that_occur_twice_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 names occur more than once in INPUT, for example 'a'\."):
        make_listing({"name": ["a", "b", "a"]})


def test_batches_keep_to_count_bytes_and_parts() -> None:
    sizes = [10, 10, 10, 50, 10, 10, 200, 10]
    listing = make_listing({"name": list("abcdefgh"), "size": sizes, "part": [0, 0, 0, 0, 0, 1, 1, 1]})
    divided = ["".join(batch["name"].to_pylist()) for batch in batches(listing, 2, 60)]
    assert divided == ["ab", "cd", "e", "f", "g", "h"]
    assert ["".join(batch["name"].to_pylist()) for batch in batches(listing, 9, 10**6)] == ["abcde", "fgh"]


def test_fingerprint_notices_a_picture_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    pictures = FolderInput(tmp_path)
    before = pictures.fingerprint(pictures.listing())
    assert pictures.fingerprint(pictures.listing()) == before
    (tmp_path / "a").write_bytes(b"y")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert pictures.fingerprint(pictures.listing()) != before

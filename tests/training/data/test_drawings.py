"""Loading Quick, Draw! strokes, hand-drawn shapes and Omniglot."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.synthetic_data import AUTHORS, WORDS, draw_symbol
from training.data import drawings
from training.data.datasets import DataError
from training.data.drawings import ALPHABETS, LATIN_LOOKALIKES, DrawingSet
from training.data.splits import Split, split_of_key

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def test_doodles_have_their_words_and_keys(data: Path) -> None:
    doodles = drawings.quickdraw(data)
    assert {doodle.word for doodle in doodles} == set(WORDS)
    assert len(doodles) == 12 * len(WORDS) + 1
    assert len({doodle.key for doodle in doodles}) == 12 * len(WORDS)


def test_doodles_are_scaled_to_1(data: Path) -> None:
    for doodle in drawings.quickdraw(data):
        points = np.concatenate(doodle.paths)
        assert points.min() == 0 and points.max() == 1
        assert [path.shape for path in doodle.paths] == [(4, 2), (4, 2)]


def test_only_shapes_unlike_letters_are_loaded(data: Path) -> None:
    shapes = drawings.shapes(data)
    assert set(shapes.categories) == {"rectangle", "triangle"}
    assert shapes.images.shape == (2 * AUTHORS, 70, 70) and len(shapes.authors) == len(shapes.categories) == 2 * AUTHORS
    assert set(shapes.authors) == {f"drawer {number}" for number in range(AUTHORS)}


def test_omniglot_is_loaded_without_latin(data: Path) -> None:
    first, second = (drawings.omniglot(data, f"images_background_small{number}") for number in (1, 2))
    assert {category.split("/")[0] for category in first.categories} == {"Balinese", "Greek", "Korean"}
    assert {category.split("/")[0] for category in second.categories} == {"Greek", "Sanskrit", "Tagalog"}
    assert first.images.shape == (5 * AUTHORS, 105, 105) and set(np.unique(first.images)) == {0, 255}
    assert set(first.authors) == {f"{author:02}" for author in range(1, AUTHORS + 1)}


def test_omniglot_characters_have_their_authors(tmp_path: Path) -> None:
    (tmp_path / "drawings" / "omniglot").mkdir(parents=True)
    drawn = [draw_symbol(number, np.random.default_rng(number), side=105) > 127 for number in range(2)]
    with zipfile.ZipFile(tmp_path / "drawings" / "omniglot" / "one.zip", "w") as files:
        for name, ink in (("Korean/character02/0115_07", drawn[1]), ("Greek/character11/0300_19", drawn[0])):
            buffer = io.BytesIO()
            Image.fromarray(~ink).save(buffer, "PNG")
            files.writestr(f"one/{name}.png", buffer.getvalue())
        files.writestr("one/Korean/strokes.txt", "not an image")
    read = drawings.omniglot(tmp_path, "one")
    assert read.categories == ["Greek/11", "Korean/02"] and read.authors == ["19", "07"]
    assert np.array_equal(read.images < 128, np.stack(drawn))


def test_symbols_are_of_unlike_alphabets_without_lookalikes(data: Path) -> None:
    categories = {(category.split("/")[0], int(category.split("/")[1])) for category in drawings.symbols(data).categories}
    assert categories == {("Balinese", 1), ("Korean", 4), ("Sanskrit", 1), ("Tagalog", 1)}
    assert set(LATIN_LOOKALIKES) == set(ALPHABETS)


def test_all_drawings_of_an_author_are_in_one_split(data: Path) -> None:
    for drawn in (drawings.shapes(data), drawings.symbols(data)):
        splits = [drawn.in_split(split) for split in SPLITS]
        authors = [author for split in splits for author in set(split.authors)]
        assert sorted(authors) == sorted(set(drawn.authors))
        assert sum(len(split.images) for split in splits) == len(drawn.images)
        assert all(split.images.any() for split in splits)
        assert all(split_of_key(author) == "test" for author in splits[2].authors)


def test_take_selects_drawings_with_authors_and_categories() -> None:
    images = np.arange(4, dtype=np.uint8).repeat(4).reshape(4, 2, 2)
    drawn = DrawingSet(images, ["a", "b", "c", "d"], ["one", "two", "three", "four"])
    taken = drawn.take(np.array([3, 1]))
    assert taken.images[:, 0, 0].tolist() == [3, 1]
    assert (taken.authors, taken.categories) == (["d", "b"], ["four", "two"])


def test_a_split_may_be_empty() -> None:
    drawn = DrawingSet(np.zeros((1, 2, 2), dtype=np.uint8), ["01"], ["one"])
    assert [len(drawn.in_split(split).images) for split in SPLITS] == [int(split_of_key("01") == split) for split in SPLITS]


@pytest.mark.parametrize(
    ("read", "url"),
    [
        (drawings.quickdraw, r"quickdraw-raw-strokes\.ndjson\.gz.*quickdraw\.withgoogle\.com"),
        (drawings.shapes, r"hand-drawn-shapes-70x70\.npz.*github\.com/frobertpixto"),
        (drawings.symbols, r"images_background_small1\.zip.*github\.com/brendenlake/omniglot"),
    ],
)
def test_missing_file_is_named_with_its_url(tmp_path: Path, read: object, url: str) -> None:
    assert callable(read)
    with pytest.raises(DataError, match=url):
        read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", gzip.compress(b"{}"), gzip.compress(b"[1]"), gzip.compress(b"{}" * 99)[:-9]],
    ids=["empty", "not an archive", "object", "list", "truncated"],
)
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (drawings.quickdraw, "quickdraw-raw-strokes.ndjson.gz"),
        (drawings.shapes, "hand-drawn-shapes-70x70.npz"),
        (drawings.symbols, "omniglot/images_background_small1.zip"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, read: object, name: str, content: bytes) -> None:
    file = tmp_path / "drawings" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert callable(read)
    with pytest.raises(DataError, match=f"{file.name}: cannot be read.*Download the file again"):
        read(tmp_path)

"""training.drawings: what people drew, as the files hold it."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.sources import PEOPLE, WORDS, written
from training import drawings
from training.datasets import DataError
from training.drawings import ALIKE, ALPHABETS, Drawn
from training.splits import Part, part_of

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def test_every_doodle_is_read_with_its_word_and_its_key(data: Path) -> None:
    doodles = drawings.quickdraw(data)
    assert {doodle.word for doodle in doodles} == set(WORDS)
    assert len(doodles) == 12 * len(WORDS) + 1
    assert len({doodle.key for doodle in doodles}) == 12 * len(WORDS)


def test_a_doodle_is_brought_to_one_high(data: Path) -> None:
    for doodle in drawings.quickdraw(data):
        points = np.concatenate(doodle.paths)
        assert points.min() == 0 and points.max() == 1
        assert [path.shape for path in doodle.paths] == [(4, 2), (4, 2)]


def test_of_the_shapes_only_those_come_that_are_no_letter(data: Path) -> None:
    shapes = drawings.shapes(data)
    assert set(shapes.kinds) == {"rectangle", "triangle"}
    assert shapes.images.shape == (2 * PEOPLE, 70, 70) and len(shapes.people) == len(shapes.kinds) == 2 * PEOPLE
    assert set(shapes.people) == {f"drawer {number}" for number in range(PEOPLE)}


def test_omniglot_comes_without_its_latin_alphabet(data: Path) -> None:
    first, second = (drawings.omniglot(data, f"images_background_small{number}") for number in (1, 2))
    assert {kind.split("/")[0] for kind in first.kinds} == {"Balinese", "Greek", "Korean"}
    assert {kind.split("/")[0] for kind in second.kinds} == {"Greek", "Sanskrit", "Tagalog"}
    assert first.images.shape == (5 * PEOPLE, 105, 105) and set(np.unique(first.images)) == {0, 255}
    assert set(first.people) == {f"{person:02}" for person in range(1, PEOPLE + 1)}


def test_a_character_goes_with_who_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "drawings" / "omniglot").mkdir(parents=True)
    drawn = [written(number, np.random.default_rng(number), side=105) > 127 for number in range(2)]
    with zipfile.ZipFile(tmp_path / "drawings" / "omniglot" / "one.zip", "w") as files:
        for name, ink in (("Korean/character02/0115_07", drawn[1]), ("Greek/character11/0300_19", drawn[0])):
            buffer = io.BytesIO()
            Image.fromarray(~ink).save(buffer, "PNG")
            files.writestr(f"one/{name}.png", buffer.getvalue())
        files.writestr("one/Korean/strokes.txt", "no picture")
    read = drawings.omniglot(tmp_path, "one")
    assert read.kinds == ["Greek/11", "Korean/02"] and read.people == ["19", "07"]
    assert np.array_equal(read.images < 128, np.stack(drawn))


def test_signs_are_of_alphabets_unlike_ours_and_unlike_ours_themselves(data: Path) -> None:
    kinds = {(kind.split("/")[0], int(kind.split("/")[1])) for kind in drawings.signs(data).kinds}
    assert kinds == {("Balinese", 1), ("Korean", 4), ("Sanskrit", 1), ("Tagalog", 1)}
    assert set(ALIKE) == set(ALPHABETS)


def test_what_one_person_drew_is_in_one_part(data: Path) -> None:
    for drawn in (drawings.shapes(data), drawings.signs(data)):
        parts = [drawn.by(part) for part in PARTS]
        people = [person for part in parts for person in set(part.people)]
        assert sorted(people) == sorted(set(drawn.people))
        assert sum(len(part.images) for part in parts) == len(drawn.images)
        assert all(part.images.any() for part in parts)
        assert all(part_of(person) == "test" for person in parts[2].people)


def test_drawings_go_with_their_people_and_kinds() -> None:
    images = np.arange(4, dtype=np.uint8).repeat(4).reshape(4, 2, 2)
    drawn = Drawn(images, ["a", "b", "c", "d"], ["one", "two", "three", "four"])
    taken = drawn.take(np.array([3, 1]))
    assert taken.images[:, 0, 0].tolist() == [3, 1]
    assert (taken.people, taken.kinds) == (["d", "b"], ["four", "two"])


def test_nobody_may_be_in_a_part() -> None:
    drawn = Drawn(np.zeros((1, 2, 2), dtype=np.uint8), ["01"], ["one"])
    assert [len(drawn.by(part).images) for part in PARTS] == [int(part_of("01") == part) for part in PARTS]


@pytest.mark.parametrize(
    ("read", "home"),
    [
        (drawings.quickdraw, r"quickdraw-raw-strokes\.ndjson\.gz.*quickdraw\.withgoogle\.com"),
        (drawings.shapes, r"hand-drawn-shapes-70x70\.npz.*github\.com/frobertpixto"),
        (drawings.signs, r"images_background_small1\.zip.*github\.com/brendenlake/omniglot"),
    ],
)
def test_a_missing_file_is_named_with_its_home(tmp_path: Path, read: object, home: str) -> None:
    assert callable(read)
    with pytest.raises(DataError, match=home):
        read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"{}"), gzip.compress(b"[1]"), gzip.compress(b"{}" * 99)[:-9]],
    ids=["empty", "no archive", "object", "list", "truncated"],
)
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (drawings.quickdraw, "quickdraw-raw-strokes.ndjson.gz"),
        (drawings.shapes, "hand-drawn-shapes-70x70.npz"),
        (drawings.signs, "omniglot/images_background_small1.zip"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, read: object, name: str, content: bytes) -> None:
    file = tmp_path / "drawings" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert callable(read)
    with pytest.raises(DataError, match=f"{file.name}: cannot be read.*Fetch the file again"):
        read(tmp_path)

"""Folders of labelled pictures: splits above the labels, formats, and pictures that are there twice."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.card import CardError
from models.pictures import Picture, fitting_half, read_folder, unseen_pictures

LABELS = ["cat", "dog"]


def picture(number: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """A picture of coloured blocks, another one for each number."""
    blocks = np.random.default_rng(number).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def fill(folder: Path, numbers: range) -> None:
    for number in numbers:
        save(picture(number), folder / LABELS[number % 2] / f"{number}.png")


def names(folder: Path, labels: list[str] | None = None) -> list[str]:
    return sorted(str(one.path.relative_to(folder)) for one in read_folder(folder, labels).pictures)


def test_all_formats_are_read_and_other_files_are_not(tmp_path: Path) -> None:
    for number, suffix in enumerate(("png", "jpg", "JPEG", "webp", "bmp", "gif")):
        save(picture(number), tmp_path / "cat" / f"{number}.{suffix}")
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    assert len(names(tmp_path, LABELS)) == 6


def test_splits_above_the_labels_are_understood(tmp_path: Path) -> None:
    fill(tmp_path / "Training", range(6))
    fill(tmp_path / "valid", range(6, 10))
    fill(tmp_path / "test", range(10, 12))
    fill(tmp_path / "other", range(12, 14))
    found = read_folder(tmp_path)
    assert found.labels == LABELS
    assert [sum(one.split == split for one in found.pictures) for split in ("train", "val", "test")] == [6, 4, 2]
    assert found.remarks == ["other: left out, because only Training, test, valid hold folders of labels"]


def test_label_that_is_called_as_a_split_is_a_label(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "test" / "0.png")
    found = read_folder(tmp_path, ["test", "other"])
    assert [(one.label, one.split) for one in found.pictures] == [(0, None)]
    assert read_folder(tmp_path).labels == ["test"]


def test_folder_names_are_percent_decoded_unless_they_are_labels(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "T-shirt%2Ftop" / "0.png")
    save(picture(1), tmp_path / "50%25" / "1.png")
    found = read_folder(tmp_path, ["50%25", "T-shirt/top"])
    assert [one.label for one in found.pictures] == [0, 1]
    assert read_folder(tmp_path).labels == ["50%", "T-shirt/top"]


def test_unknown_folder_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path / "train", range(4))
    (tmp_path / "train" / "grey").mkdir()
    with pytest.raises(CardError, match="the folders grey, which are not labels"):
        read_folder(tmp_path, LABELS)


def test_unreadable_pictures_are_reported_and_left_out(tmp_path: Path) -> None:
    fill(tmp_path, range(4))
    (tmp_path / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = read_folder(tmp_path, LABELS)
    assert len(found.pictures) == 4
    assert found.remarks[0].startswith("1 pictures cannot be read and are left out, such as dog/broken.png: ")


@pytest.mark.parametrize("name", ["again.png", "again.bmp", "again.jpg", "again.webp"])
def test_picture_saved_again_counts_once(tmp_path: Path, name: str) -> None:
    fill(tmp_path, range(10))
    save(picture(4), tmp_path / "cat" / name)
    found = read_folder(tmp_path, LABELS)
    assert len(found.pictures) == 10
    (remark,) = found.remarks
    assert remark.startswith("1 pictures repeat another, perhaps resized or saved again, and are left out, such as ")
    assert f"cat/{name}" in remark and "cat/4.png" in remark


@pytest.mark.parametrize("size", [(96, 80), (144, 120), (40, 33)])
def test_resized_picture_counts_once(tmp_path: Path, size: tuple[int, int]) -> None:
    fill(tmp_path, range(10))
    save(picture(4).resize(size, Image.Resampling.BILINEAR), tmp_path / "cat" / "resized.png")
    assert len(read_folder(tmp_path, LABELS).pictures) == 10


def test_pictures_that_differ_in_colour_or_in_light_are_distinct(tmp_path: Path) -> None:
    for number, colour in enumerate([(200, 40, 40), (40, 40, 200), (90, 90, 90), (94, 94, 94)]):
        shape = Image.new("RGB", (32, 32), colour)
        save(shape, tmp_path / "cat" / f"{number}.png")
    assert len(read_folder(tmp_path, LABELS).pictures) == 4


def test_same_file_under_two_labels_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path, range(4))
    (tmp_path / "cat" / "copy.png").write_bytes((tmp_path / "dog" / "1.png").read_bytes())
    with pytest.raises(CardError, match=r"(cat/copy|dog/1)\.png and (cat/copy|dog/1)\.png are the same picture"):
        read_folder(tmp_path, LABELS)


def test_picture_saved_again_under_another_label_is_left_out_of_both(tmp_path: Path) -> None:
    fill(tmp_path, range(6))
    save(picture(1), tmp_path / "cat" / "copy.jpg")
    found = read_folder(tmp_path, LABELS)
    assert len(found.pictures) == 5
    (remark,) = found.remarks
    assert remark.startswith("2 pictures look the same under two labels and are left out, such as ")
    assert "cat/copy.jpg" in remark and "dog/1.png" in remark


def test_copies_are_never_in_both_halves(tmp_path: Path) -> None:
    fill(tmp_path, range(40))
    for number in range(40):
        save(picture(number).resize((96, 80)), tmp_path / LABELS[number % 2] / f"{number}-large.bmp")
    found = read_folder(tmp_path, LABELS)
    assert len({one.path.name.split("-")[0].split(".")[0] for one in found.pictures}) == len(found.pictures) == 40
    halves = fitting_half(found.pictures)
    assert halves.sum() == 20
    assert [sum(one.label == label for one in found.pictures) for label in (0, 1)] == [20, 20]


def test_halves_are_equal_and_divide_each_label() -> None:
    pictures = [
        Picture(Path(f"{number}.png"), label, None) for label, count in enumerate((5, 3, 1, 7, 4)) for number in range(count)
    ]
    halves = fitting_half(pictures)
    assert halves.sum() == 10
    for label, count in enumerate((5, 3, 1, 7, 4)):
        fitting = sum(half for picture, half in zip(pictures, halves.tolist(), strict=True) if picture.label == label)
        assert fitting in (count // 2, -(-count // 2))


def test_pictures_of_train_are_left_out_where_there_are_others(tmp_path: Path) -> None:
    fill(tmp_path / "train", range(30))
    fill(tmp_path / "test", range(30, 50))
    save(picture(0), tmp_path / "test" / "cat" / "leaked.bmp")
    found = unseen_pictures(tmp_path, LABELS)
    assert {one.path.relative_to(tmp_path).parts[0] for one in found.pictures} == {"test"}
    assert len(found.pictures) == 20
    assert found.remarks[-1].startswith("30 pictures of train/ are left out, because the model may have been trained on them;")


@pytest.mark.parametrize("others", [0, 10])
def test_pictures_of_train_are_used_with_a_remark_where_there_are_too_few_others(tmp_path: Path, others: int) -> None:
    fill(tmp_path / "train", range(30))
    fill(tmp_path / "test", range(30, 30 + others))
    found = unseen_pictures(tmp_path, LABELS)
    assert len(found.pictures) == 30 + others
    assert "the other metrics are too good" in found.remarks[-1]

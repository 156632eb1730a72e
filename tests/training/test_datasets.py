"""training.datasets over small idx files made here."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.sources import Images, write_idx
from training.datasets import DataError, Labelled, emnist, fashion, identical, mnist, read_idx


def pictures(count: int) -> Images:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("packed", [True, False])
def test_an_idx_file_comes_back_as_it_was_written(tmp_path: Path, packed: bool) -> None:
    images = pictures(3)
    write_idx(tmp_path / "images", images, packed=packed)
    assert np.array_equal(read_idx(tmp_path / "images"), images)


def test_a_file_that_is_no_idx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"PNG and so on")
    with pytest.raises(DataError, match="magic number"):
        read_idx(tmp_path / "file")


@pytest.mark.parametrize("kept", [3, 10, 200])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    write_idx(tmp_path / "images", pictures(3), packed=False)
    whole = (tmp_path / "images").read_bytes()
    (tmp_path / "images").write_bytes(whole[:kept])
    with pytest.raises(DataError, match="images"):
        read_idx(tmp_path / "images")


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "images.gz", pictures(3))
    whole = (tmp_path / "images.gz").read_bytes()
    (tmp_path / "images.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="Fetch the file again"):
        read_idx(tmp_path / "images.gz")


def test_mnist_is_read_and_a_missing_file_is_named_with_its_home(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*yann\.lecun\.com"):
        mnist(tmp_path, "train")
    write_idx(tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz", pictures(4))
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte", np.array([1, 2, 3, 4], dtype=np.uint8), packed=False)
    assert mnist(tmp_path, "test").labels.tolist() == [1, 2, 3, 4]


def test_clothes_are_read_from_a_folder_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fashion-mnist.*t10k-images-idx3-ubyte.*github\.com/zalandoresearch"):
        fashion(tmp_path, "test")
    write_idx(tmp_path / "fashion-mnist" / "t10k-images-idx3-ubyte", pictures(2), packed=False)
    write_idx(tmp_path / "fashion-mnist" / "t10k-labels-idx1-ubyte", np.array([9, 0], dtype=np.uint8), packed=False)
    assert fashion(tmp_path, "test").labels.tolist() == [9, 0]
    assert np.array_equal(fashion(tmp_path, "test").images, pictures(2))


def test_images_and_labels_that_differ_in_number_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "mnist" / "train-images-idx3-ubyte.gz", pictures(4))
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte.gz", np.zeros(3, dtype=np.uint8))
    with pytest.raises(DataError, match="does not go with"):
        mnist(tmp_path, "train")


def test_emnist_is_turned_upright_and_both_cases_share_a_class(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    images = pictures(3)
    for name in ("emnist-byclass-test", "emnist-bymerge-test-minus-byclass-test"):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", np.array([7, 10, 36], dtype=np.uint8))
    mapping = "7 55\n10 65\n36 97\n"
    (folder / "emnist-byclass-mapping.txt").write_text(mapping)
    (folder / "emnist-bymerge-mapping.txt").write_text(mapping)
    read = emnist(tmp_path)
    assert read.labels.tolist() == [7, 10, 10, 7, 10, 10]
    assert np.array_equal(read.images[0], images[0].T)


def test_what_both_official_emnist_files_hold_is_taken_once(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    images = pictures(5)
    for name, part in (("emnist-byclass-test", images[:3]), ("emnist-bymerge-test", images[2:])):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", part)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", np.full(3, 7, dtype=np.uint8))
        (folder / f"{name.removesuffix('-test')}-mapping.txt").write_text("7 55\n")
    assert np.array_equal(emnist(tmp_path).images, images.swapaxes(1, 2))


def test_pictures_and_labels_of_a_bank_go_together() -> None:
    bank = Labelled(pictures(5), np.arange(5))
    assert len(bank) == 5
    assert bank.take(np.array([3, 1])).labels.tolist() == [3, 1]
    assert np.array_equal(bank.take(bank.labels > 3).images, bank.images[4:])
    with pytest.raises(DataError, match="do not go with"):
        Labelled(pictures(5), np.arange(4))


def test_pictures_that_are_the_same_to_the_pixel() -> None:
    images = np.repeat(pictures(25), 2, axis=0)
    assert identical(images, images[:1]).tolist() == [True, True] + [False] * 48


def test_an_emnist_mapping_that_is_broken_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    write_idx(folder / "emnist-byclass-test-images-idx3-ubyte.gz", pictures(1))
    write_idx(folder / "emnist-byclass-test-labels-idx1-ubyte.gz", np.array([7], dtype=np.uint8))
    with pytest.raises(DataError, match=r"emnist-byclass-mapping\.txt.*EMNIST: https"):
        emnist(tmp_path)
    (folder / "emnist-byclass-mapping.txt").write_text("seven 55\n")
    with pytest.raises(DataError, match=r"emnist-byclass-mapping\.txt"):
        emnist(tmp_path)

"""Loading idx files, MNIST, Fashion-MNIST and EMNIST."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.synthetic_data import Images, write_idx
from training.data.datasets import DataError, LabelledImages, emnist, fashion, identical, mnist, read_idx


def random_images(count: int) -> Images:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("compressed", [True, False])
def test_idx_file_round_trip(tmp_path: Path, compressed: bool) -> None:
    images = random_images(3)
    write_idx(tmp_path / "images", images, compressed=compressed)
    assert np.array_equal(read_idx(tmp_path / "images"), images)


def test_wrong_magic_number_raises_data_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"PNG and so on")
    with pytest.raises(DataError, match="magic number"):
        read_idx(tmp_path / "file")


@pytest.mark.parametrize("kept", [3, 10, 200])
def test_truncated_file_raises_data_error(tmp_path: Path, kept: int) -> None:
    write_idx(tmp_path / "images", random_images(3), compressed=False)
    whole = (tmp_path / "images").read_bytes()
    (tmp_path / "images").write_bytes(whole[:kept])
    with pytest.raises(DataError, match="images"):
        read_idx(tmp_path / "images")


def test_truncated_gzip_raises_data_error(tmp_path: Path) -> None:
    write_idx(tmp_path / "images.gz", random_images(3))
    whole = (tmp_path / "images.gz").read_bytes()
    (tmp_path / "images.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="Download the file again"):
        read_idx(tmp_path / "images.gz")


def test_mnist_is_loaded_and_a_missing_file_is_named_with_its_url(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*yann\.lecun\.com"):
        mnist(tmp_path, "train")
    write_idx(tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz", random_images(4))
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte", np.array([1, 2, 3, 4], dtype=np.uint8), compressed=False)
    assert mnist(tmp_path, "test").labels.tolist() == [1, 2, 3, 4]


def test_fashion_mnist_is_loaded_from_its_own_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fashion-mnist.*t10k-images-idx3-ubyte.*github\.com/zalandoresearch"):
        fashion(tmp_path, "test")
    write_idx(tmp_path / "fashion-mnist" / "t10k-images-idx3-ubyte", random_images(2), compressed=False)
    write_idx(tmp_path / "fashion-mnist" / "t10k-labels-idx1-ubyte", np.array([9, 0], dtype=np.uint8), compressed=False)
    assert fashion(tmp_path, "test").labels.tolist() == [9, 0]
    assert np.array_equal(fashion(tmp_path, "test").images, random_images(2))


def test_different_numbers_of_images_and_labels_raise_data_error(tmp_path: Path) -> None:
    write_idx(tmp_path / "mnist" / "train-images-idx3-ubyte.gz", random_images(4))
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte.gz", np.zeros(3, dtype=np.uint8))
    with pytest.raises(DataError, match="does not match"):
        mnist(tmp_path, "train")


def test_emnist_images_are_upright_and_both_cases_share_a_class(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    images = random_images(3)
    for name in ("emnist-byclass-test", "emnist-bymerge-test-minus-byclass-test"):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", np.array([7, 10, 36], dtype=np.uint8))
    mapping = "7 55\n10 65\n36 97\n"
    (folder / "emnist-byclass-mapping.txt").write_text(mapping)
    (folder / "emnist-bymerge-mapping.txt").write_text(mapping)
    read = emnist(tmp_path)
    assert read.labels.tolist() == [7, 10, 10, 7, 10, 10]
    assert np.array_equal(read.images[0], images[0].T)


def test_images_in_both_emnist_files_are_loaded_once(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    images = random_images(5)
    for name, part in (("emnist-byclass-test", images[:3]), ("emnist-bymerge-test", images[2:])):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", part)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", np.full(3, 7, dtype=np.uint8))
        (folder / f"{name.removesuffix('-test')}-mapping.txt").write_text("7 55\n")
    assert np.array_equal(emnist(tmp_path).images, images.swapaxes(1, 2))


def test_take_selects_images_with_their_labels() -> None:
    labelled = LabelledImages(random_images(5), np.arange(5))
    assert len(labelled) == 5
    assert labelled.take(np.array([3, 1])).labels.tolist() == [3, 1]
    assert np.array_equal(labelled.take(labelled.labels > 3).images, labelled.images[4:])
    with pytest.raises(DataError, match="do not match"):
        LabelledImages(random_images(5), np.arange(4))


def test_identical_compares_all_pixels() -> None:
    images = np.repeat(random_images(25), 2, axis=0)
    assert identical(images, images[:1]).tolist() == [True, True] + [False] * 48


def test_missing_or_invalid_emnist_mapping_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "emnist"
    write_idx(folder / "emnist-byclass-test-images-idx3-ubyte.gz", random_images(1))
    write_idx(folder / "emnist-byclass-test-labels-idx1-ubyte.gz", np.array([7], dtype=np.uint8))
    with pytest.raises(DataError, match=r"emnist-byclass-mapping\.txt.*EMNIST: https"):
        emnist(tmp_path)
    (folder / "emnist-byclass-mapping.txt").write_text("seven 55\n")
    with pytest.raises(DataError, match=r"emnist-byclass-mapping\.txt"):
        emnist(tmp_path)

"""Loads MNIST, Fashion-MNIST and EMNIST from their idx files."""

import gzip
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

IMAGES_MAGIC: Final = 2051
LABELS_MAGIC: Final = 2049

MNIST_SOURCE: Final = "MNIST: http://yann.lecun.com/exdb/mnist (mirrored by torchvision and tensorflow-datasets)"
FASHION_SOURCE: Final = "Fashion-MNIST: https://github.com/zalandoresearch/fashion-mnist"
EMNIST_SOURCE: Final = "EMNIST: https://www.nist.gov/itl/products-and-services/emnist-dataset (gzip.zip, the idx files)"

_MNIST: Final = {"train": "train", "test": "t10k"}
_BYCLASS: Final = "emnist-byclass-test"
_BYMERGE: Final = "emnist-bymerge-test"
_BYMERGE_REST: Final = "emnist-bymerge-test-minus-byclass-test"


class DataError(Exception):
    """Training data is missing or invalid; the message names the files and says what to do."""


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images ``uint8[N, H, W]``, white on black and upright, and their classes ``int64[N]``."""

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or len(self.images) != len(self.labels):
            raise DataError(f"Images of shape {self.images.shape} do not match labels of shape {self.labels.shape}.")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "LabelledImages":
        """Select images by index or mask, in the order given."""
        return LabelledImages(self.images[index], self.labels[index])


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, gzipped or not: labels ``uint8[N]`` or images ``uint8[N, rows, columns]``.

    Raises:
        DataError: the file cannot be read, its magic number is wrong, or its size does not match its header.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: {error}. Download the file again.") from error
    dimensions = {LABELS_MAGIC: 1, IMAGES_MAGIC: 3}
    magic = int.from_bytes(content[:4], "big")
    if len(content) < 4 or magic not in dimensions:
        raise DataError(f"{path}: not an idx file of bytes: its magic number is {magic}, not {IMAGES_MAGIC} or {LABELS_MAGIC}.")
    header = 4 + 4 * dimensions[magic]
    if len(content) < header:
        raise DataError(f"{path}: truncated in its header. Download the file again.")
    shape = struct.unpack(f">{dimensions[magic]}I", content[4:header])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != expected:
        raise DataError(f"{path}: {len(content) - header} bytes of data, its header says {expected}. Download it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


@lru_cache(maxsize=2)
def mnist(data: Path, split: str) -> LabelledImages:
    """Load MNIST (LeCun et al., 1998) from ``data/mnist``: 60,000 images of ``train`` or 10,000 of ``test``."""
    images, labels = _pair(data / "mnist", f"{_MNIST[split]}-images-idx3-ubyte", f"{_MNIST[split]}-labels-idx1-ubyte")
    return LabelledImages(images, labels)


@lru_cache(maxsize=2)
def fashion(data: Path, split: str) -> LabelledImages:
    """Load Fashion-MNIST (Xiao et al., 2017) from ``data/fashion-mnist``: 60,000 images of ``train``, 10,000 of ``test``."""
    name = _MNIST[split]
    return LabelledImages(*_pair(data / "fashion-mnist", f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte"))


@lru_cache(maxsize=1)
def emnist(data: Path) -> LabelledImages:
    """Load EMNIST (Cohen et al., 2017) from ``data/emnist``: 107,233 digits as 0..9 and 108,935 letters as 10..35.

    These are the official test splits "by class" and "by merge". Images that both files hold are loaded once, whether or not
    they have been removed already (``emnist-bymerge-test-minus-byclass-test``). Lower-case letters have the class of their
    capital. The files hold transposed images; these are upright.
    """
    folder = data / "emnist"
    first = _emnist_part(folder, _BYCLASS)
    if _present(folder, f"{_BYMERGE_REST}-images-idx3-ubyte") is not None:
        second = _emnist_part(folder, _BYMERGE_REST)
    else:
        second = _emnist_part(folder, _BYMERGE)
        second = second.take(~identical(second.images, first.images))
    return LabelledImages(np.concatenate((first.images, second.images)), np.concatenate((first.labels, second.labels)))


def identical(images: Images, others: Images) -> npt.NDArray[np.bool_]:
    """Tell which of ``images`` ``uint8[N, ...]`` are, pixel by pixel, among ``others``: ``bool[N]``."""
    known = {image.tobytes() for image in others}
    return np.fromiter((image.tobytes() in known for image in images), dtype=np.bool_, count=len(images))


def _emnist_part(folder: Path, name: str) -> LabelledImages:
    images, labels = _pair(folder, f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte")
    mapping = folder / f"{name.split('-test')[0]}-mapping.txt"
    try:
        rows = [line.split() for line in mapping.read_text(encoding="ascii").splitlines() if line.strip()]
        codes = {int(label): int(code) for label, code in rows}
    except (OSError, ValueError) as error:
        raise DataError(f"{mapping}: cannot be read: {error}. It is part of {EMNIST_SOURCE}.") from error
    classes = np.zeros(256, dtype=np.int64)
    for label, code in codes.items():
        character = chr(code).upper()
        classes[label] = int(character) if character.isdigit() else ord(character) - ord("A") + 10
    return LabelledImages(np.ascontiguousarray(images.swapaxes(1, 2)), classes[labels])


def _pair(folder: Path, images_name: str, labels_name: str) -> tuple[Images, Labels]:
    images, labels = read_idx(_find(folder, images_name)), read_idx(_find(folder, labels_name))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DataError(f"{folder}: {images_name} {images.shape} does not match {labels_name} {labels.shape}.")
    return images, labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    path = _present(folder, name)
    if path is None:
        raise DataError(
            f"{folder / name}(.gz) is missing. Put the original idx files there. "
            f"{MNIST_SOURCE}. {EMNIST_SOURCE}. {FASHION_SOURCE}."
        )
    return path


def _present(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)

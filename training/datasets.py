"""The pictures people wrote: idx files, MNIST and the digits and letters of EMNIST."""

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

MNIST_HOME: Final = "MNIST: http://yann.lecun.com/exdb/mnist (mirrored by torchvision and tensorflow-datasets)"
FASHION_HOME: Final = "Fashion-MNIST: https://github.com/zalandoresearch/fashion-mnist"
EMNIST_HOME: Final = "EMNIST: https://www.nist.gov/itl/products-and-services/emnist-dataset (gzip.zip, the idx files)"

_MNIST: Final = {"train": "train", "test": "t10k"}
_BYCLASS: Final = "emnist-byclass-test"
_BYMERGE: Final = "emnist-bymerge-test"
_BYMERGE_REST: Final = "emnist-bymerge-test-minus-byclass-test"


class DataError(Exception):
    """Training data that is missing or not what its name says; the text names the files and says what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures ``uint8[N, 28, 28]``, white ink on black and upright, and their classes ``int64[N]``."""

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or len(self.images) != len(self.labels):
            raise DataError(f"{self.images.shape} images do not go with {self.labels.shape} labels.")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Labelled":
        """The chosen pictures, in the order given."""
        return Labelled(self.images[index], self.labels[index])


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """An idx file of unsigned bytes, gzipped or not: ``uint8[N]`` of labels or ``uint8[N, rows, columns]`` of pictures.

    Raises:
        DataError: unreadable, a wrong magic number, or fewer bytes than the header announces.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: {error}. Fetch the file again.") from error
    dimensions = {LABELS_MAGIC: 1, IMAGES_MAGIC: 3}
    magic = int.from_bytes(content[:4], "big")
    if len(content) < 4 or magic not in dimensions:
        raise DataError(f"{path}: magic number {magic} is not {IMAGES_MAGIC} or {LABELS_MAGIC}: not an idx file of bytes.")
    header = 4 + 4 * dimensions[magic]
    if len(content) < header:
        raise DataError(f"{path}: truncated in its header. Fetch the file again.")
    shape = struct.unpack(f">{dimensions[magic]}I", content[4:header])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != expected:
        raise DataError(f"{path}: {len(content) - header} bytes of data where the header says {expected}. Fetch it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


@lru_cache(maxsize=2)
def mnist(data: Path, split: str) -> Labelled:
    """MNIST (LeCun et al., 1998): the 60,000 pictures of ``train`` or the 10,000 of ``test``, from ``data/mnist``."""
    images, labels = _pair(data / "mnist", f"{_MNIST[split]}-images-idx3-ubyte", f"{_MNIST[split]}-labels-idx1-ubyte")
    return Labelled(images, labels)


@lru_cache(maxsize=2)
def fashion(data: Path, split: str) -> Labelled:
    """Fashion-MNIST (Xiao et al., 2017): 60,000 pictures to ``train``, 10,000 to ``test``, from ``data/fashion-mnist``."""
    name = _MNIST[split]
    return Labelled(*_pair(data / "fashion-mnist", f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte"))


@lru_cache(maxsize=1)
def emnist(data: Path) -> Labelled:
    """EMNIST (Cohen et al., 2017) from ``data/emnist``: 107,233 digits 0..9 and 108,935 letters of A..Z as 10..35.

    They are the official test splits "by class" and "by merge"; what both hold is taken once, whether the files have been
    rid of it already (``emnist-bymerge-test-minus-byclass-test``) or not. Lower case letters carry the class of their
    capital. The files hold every picture transposed; here they are upright.
    """
    folder = data / "emnist"
    first = _emnist_part(folder, _BYCLASS)
    if _present(folder, f"{_BYMERGE_REST}-images-idx3-ubyte") is not None:
        second = _emnist_part(folder, _BYMERGE_REST)
    else:
        second = _emnist_part(folder, _BYMERGE)
        second = second.take(~identical(second.images, first.images))
    return Labelled(np.concatenate((first.images, second.images)), np.concatenate((first.labels, second.labels)))


def identical(images: Images, others: Images) -> npt.NDArray[np.bool_]:
    """Which of ``images`` (``uint8[N, ...]``) are, to the pixel, among ``others``: ``bool[N]``."""
    known = {picture.tobytes() for picture in others}
    return np.fromiter((picture.tobytes() in known for picture in images), dtype=np.bool_, count=len(images))


def _emnist_part(folder: Path, name: str) -> Labelled:
    images, labels = _pair(folder, f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte")
    mapping = folder / f"{name.split('-test')[0]}-mapping.txt"
    try:
        rows = [line.split() for line in mapping.read_text(encoding="ascii").splitlines() if line.strip()]
        codes = {int(label): int(code) for label, code in rows}
    except (OSError, ValueError) as error:
        raise DataError(f"{mapping}: cannot be read: {error}. It comes with {EMNIST_HOME}.") from error
    classes = np.zeros(256, dtype=np.int64)
    for label, code in codes.items():
        character = chr(code).upper()
        classes[label] = int(character) if character.isdigit() else ord(character) - ord("A") + 10
    return Labelled(np.ascontiguousarray(images.swapaxes(1, 2)), classes[labels])


def _pair(folder: Path, images_name: str, labels_name: str) -> tuple[Images, Labels]:
    images, labels = read_idx(_find(folder, images_name)), read_idx(_find(folder, labels_name))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DataError(f"{folder}: {images_name} {images.shape} does not go with {labels_name} {labels.shape}.")
    return images, labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    path = _present(folder, name)
    if path is None:
        raise DataError(
            f"{folder / name}(.gz) is missing. Put the original idx files there. {MNIST_HOME}. {EMNIST_HOME}. {FASHION_HOME}."
        )
    return path


def _present(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)

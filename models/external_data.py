"""Embeds the external data of an ONNX model: tensors stored in other files, which must lie in the model's folder."""

from collections.abc import Sequence
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import onnx
from onnx import TensorProto, helper

from models.sandbox import InvalidModel


def embed_external_data(tensors: Sequence[onnx.TensorProto], folder: Path, max_bytes: int) -> None:
    """Read the data of external tensors into them. Nothing outside ``folder`` is read, and at most ``max_bytes``.

    Raises:
        InvalidModel: a path outside the folder, a missing file, or bytes that do not fit the shape.
    """
    total = 0
    for tensor in tensors:
        location = {entry.key: entry.value for entry in tensor.external_data}
        path = resolve_location(location.get("location", ""), folder)
        offset, length = _number(location, "offset", 0), _size(tensor)
        if _number(location, "length", length) != length:
            raise InvalidModel(f"tensor {tensor.name!r} has {length:,} bytes, but {location['length']} in {path.name}")
        total += length
        if total > max_bytes:
            raise InvalidModel(f"has more than {max_bytes:,} bytes of external data")
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        if len(data) != length:
            raise InvalidModel(
                f"tensor {tensor.name!r} ends at byte {offset + length:,} of {path.name}, but the file is shorter"
            )
        tensor.raw_data = data
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def resolve_location(location: str, folder: Path) -> Path:
    """The file inside ``folder`` at a location.

    Raises:
        InvalidModel: there is none, or it lies outside, also through a symbolic link.
    """
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(location).anchor or ".." in kind(location).parts:
            raise InvalidModel(f"has external data in {location!r}, outside of its own folder")
    try:
        found = (folder / location).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # missing, a loop of links, a zero byte
        raise InvalidModel(f"has external data in {location!r}, which is missing") from error
    if not found.is_relative_to(folder.resolve()):
        raise InvalidModel(f"has external data in {location!r}, a link that leads outside of its own folder")
    if not found.is_file():
        raise InvalidModel(f"has external data in {location!r}, which is not a file")
    return found


def _size(tensor: onnx.TensorProto) -> int:
    """The size of a tensor in bytes, from its shape and type."""
    try:
        itemsize = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidModel(f"tensor {tensor.name!r} is external and of an unknown type") from error
    if tensor.data_type == TensorProto.STRING or min(tensor.dims, default=0) < 0:
        raise InvalidModel(f"tensor {tensor.name!r} is external and not an array of numbers")
    return int(prod(tensor.dims)) * int(itemsize)


def _number(location: dict[str, str], key: str, default: int) -> int:
    value = location.get(key, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidModel(f"external data has the {key} {value!r}")
    return int(value)

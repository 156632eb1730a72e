"""Tensors that an ONNX file keeps in other files: taken into it, from its own folder only."""

from collections.abc import Sequence
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import onnx
from onnx import TensorProto, helper

from models.trial import Refused


def embed(tensors: Sequence[onnx.TensorProto], folder: Path, max_bytes: int) -> None:
    """Put the data of external tensors into them. Nothing outside ``folder`` is read, and no more than ``max_bytes``.

    Raises:
        Refused: a path that leads out of the folder, a missing file, or bytes that do not fit the shape.
    """
    total = 0
    for tensor in tensors:
        told = {entry.key: entry.value for entry in tensor.external_data}
        path = located(told.get("location", ""), folder)
        offset, length = _number(told, "offset", 0), _size(tensor)
        if _number(told, "length", length) != length:
            raise Refused(f"tensor {tensor.name!r} has {length:,} bytes, and {told['length']} in {path.name}")
        total += length
        if total > max_bytes:
            raise Refused(f"keeps more than {max_bytes:,} bytes in other files")
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        if len(data) != length:
            raise Refused(
                f"tensor {tensor.name!r} lies in {path.name} up to byte {offset + length:,}, and the file ends before"
            )
        tensor.raw_data = data
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def located(location: str, folder: Path) -> Path:
    """The file inside ``folder`` that a location names.

    Raises:
        Refused: it names none, or one outside, also by way of a link.
    """
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(location).anchor or ".." in kind(location).parts:
            raise Refused(f"keeps data in {location!r}, outside of its own folder")
    try:
        found = (folder / location).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # missing, a loop of links, a zero byte
        raise Refused(f"keeps data in {location!r}, which is missing") from error
    if not found.is_relative_to(folder.resolve()):
        raise Refused(f"keeps data in {location!r}, a link that leads outside of its own folder")
    if not found.is_file():
        raise Refused(f"keeps data in {location!r}, which is no file")
    return found


def _size(tensor: onnx.TensorProto) -> int:
    """Bytes of a tensor by its shape and type."""
    try:
        itemsize = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"tensor {tensor.name!r} is external and of an unknown type") from error
    if tensor.data_type == TensorProto.STRING or min(tensor.dims, default=0) < 0:
        raise Refused(f"tensor {tensor.name!r} is external and no array of numbers")
    return int(prod(tensor.dims)) * int(itemsize)


def _number(told: dict[str, str], key: str, default: int) -> int:
    value = told.get(key, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Refused(f"external data has the {key} {value!r}")
    return int(value)

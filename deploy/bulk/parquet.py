"""Pictures in a column of Parquet files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deploy.bulk.errors import InputError
from deploy.bulk.inputs import Pictures, Read, digest, make_listing
from serving.http.base64_images import image_too_large

SUFFIX: Final = ".parquet"
# Bytes of a file that are read at a time. Without this, a row group's whole column is read at once.
BUFFER_BYTES: Final = 1 << 20
ROWS_AT_A_TIME: Final = 16


@dataclass(frozen=True)
class ParquetInput:
    """A binary column of Parquet files, or a struct with a field ``bytes``, as Hugging Face data sets have it.

    A name is the value of the column ``id_column``, else the file and the row in it from 0, as ``train.parquet:17``.
    """

    folder: Path
    files: tuple[Path, ...]
    image_column: str
    id_column: str | None

    def listing(self) -> pa.Table:
        """As ``PictureInput``; a part is a row group, numbered over all files."""
        names: list[str] = []
        columns: dict[str, list[Any]] = {"part": [], "index": [], "size": []}
        part = 0
        for file in self.files:
            opened = self._open(file)
            rows = opened.metadata.num_rows
            if self.id_column:
                names += [str(value) for value in opened.read(columns=[self.id_column])[self.id_column].to_pylist()]
            else:
                place = file.relative_to(self.folder).as_posix()
                names += [f"{place}:{row}" for row in range(rows)]
            for group in range(opened.metadata.num_row_groups):
                count = opened.metadata.row_group(group).num_rows
                columns["part"].append(np.full(count, part))
                columns["index"].append(np.arange(count))
                columns["size"].append(np.full(count, self._mean_size(opened, group)))
                part += 1
        return make_listing({"name": names} | {name: np.concatenate(each) for name, each in columns.items() if each})

    def fingerprint(self, listing: pa.Table) -> str:
        """As ``PictureInput``: names, and of the files their sizes and times of change."""
        stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self.files]
        return digest([*(value for stat in stats for value in stat), *listing["name"].to_pylist()])

    def reader(self, max_bytes: int) -> Read:
        """As ``PictureInput``."""
        groups = [(file, group) for file in self.files for group in range(self._open(file).metadata.num_row_groups)]
        cursor: RowGroupCursor | None = None
        current = -1

        def read(batch: pa.Table) -> Pictures:
            nonlocal cursor, current
            part, indices = batch["part"][0].as_py(), batch["index"].to_pylist()
            if cursor is None or part != current or indices[0] < cursor.next_index:
                file, group = groups[part]
                cursor, current = RowGroupCursor(self._open(file), group, self.image_column), part
            for index in indices:
                data = cursor.value(index)
                yield data if len(data) <= max_bytes else image_too_large(len(data), max_bytes)

        return read

    def _open(self, file: Path) -> pq.ParquetFile:
        try:
            opened = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
        schema = opened.schema_arrow
        if self.image_column not in schema.names or not _is_image(schema.field(self.image_column).type):
            binary = ", ".join(field.name for field in schema if _is_image(field.type)) or "none"
            raise InputError(
                f"{file} has no binary column {self.image_column!r}; name one with --image-column. Binary columns: {binary}."
            )
        if self.id_column is not None and self.id_column not in schema.names:
            raise InputError(f"{file} has no column {self.id_column!r}. There are: {', '.join(schema.names)}.")
        return opened

    def _mean_size(self, opened: pq.ParquetFile, group: int) -> int:
        """Mean bytes of the pictures of a row group, without reading them."""
        found = opened.metadata.row_group(group)
        columns = [found.column(index) for index in range(found.num_columns)]
        total: int = sum(c.total_uncompressed_size for c in columns if c.path_in_schema.split(".")[0] == self.image_column)
        return total // max(1, int(found.num_rows))


class RowGroupCursor:
    """Reads the pictures of one row group, forward only, a few at a time."""

    def __init__(self, opened: pq.ParquetFile, group: int, column: str) -> None:
        self.next_index = 0
        self._rows = self._values(opened, group, column)

    def value(self, index: int) -> bytes:
        """The bytes of the picture at an index that is not before ``next_index``; none where the value is null."""
        while True:
            value = next(self._rows)
            self.next_index += 1
            if self.next_index > index:
                return value.as_py() or b""

    def _values(self, opened: pq.ParquetFile, group: int, column: str) -> Iterator[pa.Scalar]:
        for rows in opened.iter_batches(ROWS_AT_A_TIME, row_groups=[group], columns=[column], use_threads=False):
            values = rows.column(0)
            yield from values.field("bytes") if pa.types.is_struct(values.type) else values


def _is_image(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _is_image(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))

"""The folder of a run's results: what is in it, which pictures are done, and the final files."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from deploy.bulk.errors import OutputError

RUN_FILE: Final = "run.json"
LOCK_FILE: Final = "run.lock"
LOG_FILE: Final = "ray.log"  # what Ray would write between the lines of the progress
PARTS: Final = "parts"
PARQUET_FILE: Final = "predictions.parquet"
CSV_FILE: Final = "predictions.csv"
# A part is written after so many rows or seconds; a crash loses no more.
PART_ROWS: Final = 20_000
PART_SECONDS: Final = 1.0

Rows = npt.NDArray[np.int64]


class Output:
    """A folder that holds ``run.json``, which says what made its rows; ``parts/`` while the run lasts; then the final files.
    Used within ``opened()``, and written to after ``claim()``.

    Only the process that started the run writes, so that a row is there once, however often Ray repeats a batch. A part has its
    final name when it is complete.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / PARTS
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._written = monotonic()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Use the folder until the block ends, alone; what has not been written yet is written then. A folder that is not
        claimed until then is left as it was.

        Raises:
            OutputError: it has other files, or is in use.
        """
        if self._folder.is_file():
            raise OutputError(f"{self._folder} is a file. OUTPUT has to be a folder.")
        created = not self._folder.exists()
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self.begun and any(each.name not in (LOCK_FILE, LOG_FILE) for each in self._folder.iterdir()):
            raise OutputError(f"{self._folder} is not empty, and no run made it. Give a new folder.")
        with (self._folder / LOCK_FILE).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise OutputError(f"Another run writes to {self._folder}. Wait for it, or give another folder.") from None
            try:
                yield
            finally:
                self._write_part()
                if not self.begun:
                    self._remove(created)

    @property
    def begun(self) -> bool:
        """Whether a run has claimed the folder."""
        return (self._folder / RUN_FILE).exists()

    @property
    def finished(self) -> bool:
        """Whether the final files are complete."""
        return bool(self._run().get("finished"))

    def claim(self, made_by: dict[str, Any]) -> None:
        """Write into a new folder what makes its rows, or compare it with that of the run before.

        Raises:
            OutputError: they differ.
        """
        if self.begun:
            run = self._run()
            for name, value in made_by.items():
                if run.get(name) != value:
                    raise OutputError(_difference(self._folder, name, run.get(name), value))
        else:
            self._save(made_by)
        self._parts.mkdir(exist_ok=True)

    def done_rows(self) -> Rows:
        """The numbers of the rows that are on disk."""
        tables = [pq.read_table(part, columns=["row"]) for part in self._part_files()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *(table["row"].to_numpy() for table in tables)]))

    def add(self, rows: pa.Table) -> None:
        """Add results; they are written within a second or two."""
        self._pending.append(rows)
        self._pending_rows += len(rows)
        if self._pending_rows >= PART_ROWS or monotonic() - self._written >= PART_SECONDS:
            self._write_part()

    def finish(self, count: int) -> pa.Table:
        """Write the final files, in the order of the input, and remove the parts; gives the rows.

        Raises:
            OutputError: the rows are not those of ``count`` pictures, each once.
        """
        self._write_part()
        rows = pa.concat_tables([pq.read_table(part) for part in self._part_files()])
        rows = rows.take(pc.sort_indices(rows["row"]))
        if not np.array_equal(rows["row"].to_numpy(), np.arange(count)):
            raise OutputError(
                f"{self._folder} has {len(rows):,} rows of {len(pc.unique(rows['row'])):,} pictures instead of {count:,}. "
                "Start again with a new folder, and report this."
            )
        rows = rows.drop_columns("row")
        _write(self._folder / PARQUET_FILE, lambda file: pq.write_table(rows, file))
        _write(self._folder / CSV_FILE, lambda file: pyarrow.csv.write_csv(rows, file))
        self._save({**self._run(), "finished": True, "pictures": count})
        shutil.rmtree(self._parts)
        return rows

    def _remove(self, created: bool) -> None:
        for name in (LOCK_FILE, LOG_FILE):
            (self._folder / name).unlink(missing_ok=True)
        if created:
            with suppress(OSError):  # something else has come into it
                self._folder.rmdir()

    def _run(self) -> dict[str, Any]:
        file = self._folder / RUN_FILE
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise OutputError(f"{file} cannot be read: {error}. Give a new folder.") from error

    def _save(self, run: dict[str, Any]) -> None:
        text = json.dumps(run, indent=2) + "\n"
        _write(self._folder / RUN_FILE, lambda file: file.write_text(text, encoding="utf-8"))

    def _part_files(self) -> list[Path]:
        return sorted(self._parts.glob("*.parquet"))

    def _write_part(self) -> None:
        self._written = monotonic()
        if not self._pending:
            return
        rows = pa.concat_tables(self._pending)
        self._pending, self._pending_rows = [], 0
        number = len(self._part_files())
        _write(self._parts / f"{number:06}.parquet", lambda file: pq.write_table(rows, file))


def _write(file: Path, write: Any) -> None:
    """Write a file under another name, and give it its own when it is complete and on disk."""
    new = file.with_name(f"{file.name}.new")
    write(new)
    with new.open("rb") as written:
        os.fsync(written.fileno())
    new.replace(file)


def _difference(folder: Path, name: str, before: object, now: object) -> str:
    if name == "input_fingerprint":
        what = "INPUT has changed since: pictures were added, removed or replaced"
    else:
        what = f"its {name} is {before}, and not {now}"
    return f"{folder} holds the rows of another run: {what}. Give a new folder; rows are never mixed."

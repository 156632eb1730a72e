"""Comparisons from a file of results, CSV or Parquet, as ``python -m deploy.bulk`` writes it, with the reference on a card."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from deploy.drift.exposition import DriftError
from models.card import Card
from models.reference import QUANTITIES
from models.stability import Comparison, compare

COLUMNS: Final = ("label", "confidence", "rejected", "problem")
INK: Final = "ink"  # not in the files of earlier versions; compared where it is there
ROWS: Final = 10_000
TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}

Row = Mapping[str, Any]


def from_results(path: Path, card: Card) -> list[Comparison]:
    """Compare the answers in a file of results with a card's reference; rows with a problem are left out.

    Raises:
        DriftError: the card has no reference, or the file cannot be read or lacks columns.
    """
    reference = card.reference
    if reference is None:
        raise DriftError(f"The card of {card.tag} has no reference. docs/drift.md says how to make one.")
    counts = {quantity: np.zeros(len(reference.bins(quantity))) for quantity in QUANTITIES}
    rows = (row for row in _rows(path) if not row["problem"])
    try:
        while chunk := list(islice(rows, ROWS)):
            counts["label"] += reference.count("label", (str(row["label"]) for row in chunk))
            counts["confidence"] += reference.count("confidence", (float(row["confidence"]) for row in chunk))
            counts["rejected"] += reference.count("rejected", (TRUTH[str(row["rejected"]).lower()] for row in chunk))
            if INK in chunk[0]:
                counts["ink"] += reference.count("ink", (float(row[INK]) for row in chunk))
    except (ValueError, TypeError, KeyError) as error:
        raise DriftError(f"{path}: a row has no valid confidence, rejected or ink: {error}") from error
    compared = [quantity for quantity in QUANTITIES if quantity != "ink" or counts["ink"].any()]
    return [compare(quantity, counts[quantity], reference, card.name) for quantity in compared]


def _rows(path: Path) -> Iterator[Row]:
    try:
        yield from _parquet_rows(path) if path.suffix == ".parquet" or path.is_dir() else _csv_rows(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DriftError(f"{path}: cannot be read: {error}") from error


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        _require_columns(path, reader.fieldnames or ())
        yield from reader


def _parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, or of all in a folder."""
    try:
        from pyarrow import ArrowException, dataset  # here, since only these files need it
    except ImportError as error:
        raise DriftError(f"{path}: Parquet needs pyarrow. Install it, or give the CSV file.") from error
    try:
        found = dataset.dataset(path, format="parquet")
        _require_columns(path, found.schema.names)
        for batch in found.to_batches(columns=[name for name in (*COLUMNS, INK) if name in found.schema.names]):
            yield from batch.to_pylist()
    except ArrowException as error:
        raise DriftError(f"{path}: cannot be read: {error}") from error


def _require_columns(path: Path, found: Iterable[str]) -> None:
    if missing := [name for name in COLUMNS if name not in found]:
        raise DriftError(f"{path}: has no column {', '.join(missing)}. Give a file that `python -m deploy.bulk` wrote.")

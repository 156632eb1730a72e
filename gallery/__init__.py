"""Stored images with their predictions and corrections, in a SQLite file or in PostgreSQL."""

from gallery.database import FILE_NAME, DatabaseUnavailable, file_url, parse_url
from gallery.export import zip_entries
from gallery.images import InvalidImage, StoredImage, prepare_image
from gallery.pending_write import PendingWrite, WriteCancelled
from gallery.query import Cursor, Filter, Page
from gallery.store import CONNECTIONS, MAX_BYTES, EntryNotFound, Owner, QuotaExceeded, Store, StoredPrediction
from gallery.tables import Entry

__all__ = [
    "CONNECTIONS",
    "FILE_NAME",
    "MAX_BYTES",
    "Cursor",
    "DatabaseUnavailable",
    "Entry",
    "EntryNotFound",
    "Filter",
    "InvalidImage",
    "Owner",
    "Page",
    "PendingWrite",
    "QuotaExceeded",
    "Store",
    "StoredImage",
    "StoredPrediction",
    "WriteCancelled",
    "file_url",
    "parse_url",
    "prepare_image",
    "zip_entries",
]

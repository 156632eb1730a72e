"""Pictures that were kept, what the models said of them, and what people corrected: in a SQLite file or in PostgreSQL."""

from gallery.cancellation import Cancellation, Cancelled
from gallery.database import FILE_NAME, Unavailable, file_url, parse_url
from gallery.export import archive
from gallery.listing import Choice, Page, Place
from gallery.pictures import BadPicture, Picture, picture
from gallery.store import CONNECTIONS, MAX_BYTES, Full, Keeper, NoEntry, Prediction, Store
from gallery.tables import Entry

__all__ = [
    "CONNECTIONS",
    "FILE_NAME",
    "MAX_BYTES",
    "BadPicture",
    "Cancellation",
    "Cancelled",
    "Choice",
    "Entry",
    "Full",
    "Keeper",
    "NoEntry",
    "Page",
    "Picture",
    "Place",
    "Prediction",
    "Store",
    "Unavailable",
    "archive",
    "file_url",
    "parse_url",
    "picture",
]

"""A service that requires API keys, which lets pages of two other origins call it and writes an access log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from serving.middleware.api_keys import add_key
from tests.support.processes import free_port, start_service

ORIGINS = ("https://friend.example", "http://localhost:8501")


class Keyed(NamedTuple):
    """The service's address, log and file of keys, and three of its keys."""

    address: str
    log: Path
    file: Path
    reader: str
    admin: str
    other_reader: str


@contextmanager
def start_keyed_service(home: Path, keys: Path) -> Iterator[Keyed]:
    """Such a service, until the block ends."""
    port = free_port()
    reader, admin, other = add_key(keys, "page", "read"), add_key(keys, "me", "admin"), add_key(keys, "app", "read")
    settings = {"API_KEYS_FILE": str(keys), "CORS_ORIGINS": ", ".join(ORIGINS), "ACCESS_LOG": "true", "WORKERS": "1"}
    with start_service(home, port, **settings) as address:
        yield Keyed(address, home / f"service-{port}.log", keys, reader, admin, other)

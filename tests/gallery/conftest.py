"""Fixtures: a gallery in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from gallery import Store, file_url, parse_url

MAX_ENTRIES = 100


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return file_url(tmp_path / "gallery.db")
    return parse_url(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def store(url: URL) -> Iterator[Store]:
    """A gallery of at most ``MAX_ENTRIES`` entries in that database."""
    store = Store(url, MAX_ENTRIES)
    yield store
    store.close()

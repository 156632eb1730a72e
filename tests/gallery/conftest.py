"""A gallery in each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from gallery import Store, file_url, parse_url

MOST = 100


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The address of a database that holds nothing."""
    if request.param == "sqlite":
        return file_url(tmp_path / "gallery.db")
    return parse_url(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def store(url: URL) -> Iterator[Store]:
    """A gallery for ``MOST`` entries in that database."""
    store = Store(url, MOST)
    yield store
    store.close()

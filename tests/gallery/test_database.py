"""Database URLs, and databases that are absent, corrupt, full, suspended or read-only."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import URL, event
from sqlalchemy.pool import Pool

from gallery import DatabaseUnavailable, Filter, PendingWrite, Store, file_url, parse_url
from gallery.database import RETRY_SECONDS, open_engine
from tests.gallery.conftest import MAX_ENTRIES
from tests.gallery.entries import SEVEN, allow, prediction
from tests.support.postgres import Cluster
from tests.support.processes import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.slow

ALL = Filter()


def works(store: Store) -> bool:
    """Whether a picture is kept now."""
    try:
        return store.save(prediction(), SEVEN)[1]
    except DatabaseUnavailable:
        return False


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:////tmp/gallery.db", "sqlite"),
        ("sqlite:///gallery.db", "sqlite"),
        ("sqlite+pysqlite:///file:gallery.db?mode=ro&uri=true", "sqlite"),
        ("postgresql://me:secret@localhost:5432/gallery", "postgresql+psycopg"),
        ("postgres://localhost/gallery?sslmode=require", "postgresql+psycopg"),
        ("postgresql+psycopg2:///gallery?host=/run/postgresql", "postgresql+psycopg"),
    ],
)
def test_valid_urls(text: str, driver: str) -> None:
    assert parse_url(text).drivername == driver


@pytest.mark.parametrize(
    "text",
    [
        *("", "gallery.db", "/tmp/gallery.db", "secret", "postgresql://me:secret@localhost:port/gallery"),
        *("sqlite://", "sqlite:///:memory:", "sqlite://secret/gallery.db", "mysql://me:secret@localhost/gallery"),
    ],
)
def test_invalid_url_is_rejected_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="Write sqlite:") as refused:
        parse_url(text)
    assert "secret" not in str(refused.value)


def test_database_is_opened_on_first_use(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "gallery.db"), MAX_ENTRIES)
    store.close()
    assert list(tmp_path.iterdir()) == []
    store.page(ALL, 1)
    assert (tmp_path / "gallery.db").is_file()
    store.close()


def test_missing_folder_is_unavailable_until_it_exists(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "volume" / "gallery.db"), MAX_ENTRIES)
    with pytest.raises(DatabaseUnavailable, match="unable to open database file"):
        store.page(ALL, 1)
    (tmp_path / "volume").mkdir()
    until(lambda: works(store))
    store.close()


def test_file_that_is_not_a_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    file.write_bytes(b"something else " * 100)
    store = Store(file_url(file), MAX_ENTRIES)
    with pytest.raises(DatabaseUnavailable, match="file is not a database"):
        store.page(ALL, 1)
    file.unlink()
    until(lambda: works(store))
    store.close()


def test_read_only_file_can_be_read_but_not_written(tmp_path: Path) -> None:
    url = file_url(tmp_path / "gallery.db")
    store = Store(url, MAX_ENTRIES)
    kept, _ = store.save(prediction(), SEVEN)
    store.close()
    readable = Store(URL.create("sqlite", database=f"file:{url.database}", query={"mode": "ro", "uri": "true"}), MAX_ENTRIES)
    for ask in (lambda: readable.save(prediction(), SEVEN), lambda: readable.correct(kept.id, "1", allow), readable.delete_all):
        with pytest.raises(DatabaseUnavailable, match="readonly"):
            ask()
    readable.close()
    assert store.image(kept.id)[0] == SEVEN.image
    store.close()


def modes(folder: Path) -> dict[str, int]:
    """Who may do what with each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_new_file_is_private_with_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Store(file_url(tmp_path / "gallery.db"), MAX_ENTRIES)
        store.save(prediction(), SEVEN)
        assert modes(tmp_path) == dict.fromkeys(("gallery.db", "gallery.db-wal", "gallery.db-shm"), 0o600)
        store.close()
    finally:
        os.umask(before)


def test_readable_file_is_made_private(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    other = sqlite3.connect(file)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE other (id INTEGER)")
    for one in tmp_path.iterdir():
        one.chmod(0o644)
    assert len(modes(tmp_path)) == 3
    for name in (str(file), f"file://{file}?mode=rwc", f"file:{file}"):
        query = {"uri": "true"} if name.startswith("file:") else {}
        path, _, options = name.partition("?")
        store = Store(
            URL.create("sqlite", database=path, query=query | dict([options.split("=")] if options else [])), MAX_ENTRIES
        )
        store.page(ALL, 1)
        assert set(modes(tmp_path).values()) == {0o600}, name
        store.close()
        file.chmod(0o666)
    other.close()


def test_new_connection_keeps_the_locks_of_others(tmp_path: Path) -> None:
    """To open and close the file beside SQLite would free what this process has locked in it."""
    url = file_url(tmp_path / "gallery.db")
    store = Store(url, MAX_ENTRIES)
    store.save(prediction(), SEVEN)
    writer = sqlite3.connect(tmp_path / "gallery.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with open_engine(url, 1).connect():
        pass

    script = f"import sqlite3; sqlite3.connect({url.database!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    tried = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "database is locked" in tried.stderr
    writer.close()
    store.close()


@pytest.fixture
def small_disk() -> Iterator[list[int]]:
    """New SQLite connections see a disk of as many pages as the list says."""
    pages = [40]

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")

    event.listen(Pool, "connect", limit)
    yield pages
    event.remove(Pool, "connect", limit)


def test_full_disk_loses_nothing_and_recovers(tmp_path: Path, small_disk: list[int]) -> None:
    store = Store(file_url(tmp_path / "gallery.db"), 1000)
    kept = 0
    with pytest.raises(DatabaseUnavailable, match="database or disk is full"):
        while True:
            store.save(prediction(), SEVEN)
            kept += 1
    assert kept == store.page(ALL, 1).total > 0
    store.close()
    small_disk[0] = 1_000_000
    store.save(prediction(), SEVEN)
    assert len(list(store.entries_with_images(ALL))) == kept + 1
    store.close()


def test_deleted_file_is_created_again(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    store = Store(file_url(file), MAX_ENTRIES)
    store.save(prediction(), SEVEN)
    store.close()
    file.unlink()
    until(lambda: works(store))
    assert store.page(ALL, 9).total == 1
    store.close()


def test_postgres_that_is_down_is_unavailable() -> None:
    store = Store(parse_url(f"postgresql://me:secret@127.0.0.1:{free_port()}/gallery"), MAX_ENTRIES)
    with pytest.raises(DatabaseUnavailable) as refused:
        store.page(ALL, 1)
    assert str(refused.value) == "it does not answer"


def test_postgres_restart_is_recovered_from(postgres: Cluster) -> None:
    store = Store(parse_url(postgres.new_database()), MAX_ENTRIES)
    kept, _ = store.save(prediction(), SEVEN)
    postgres.stop()
    try:
        assert not works(store)
    finally:
        postgres.start()
    until(lambda: works(store), seconds=10 * RETRY_SECONDS)
    assert store.image(kept.id)[0] == SEVEN.image
    store.close()


def test_suspended_postgres_blocks_no_thread_forever(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its host goes on answering for it on the level of TCP, so that the connection lives."""
    monkeypatch.setattr("gallery.postgres.SILENCE_SECONDS", 0.5)
    store = Store(parse_url(postgres.new_database()), MAX_ENTRIES)
    store.save(prediction(), SEVEN)
    asks: list[Callable[[], object]] = [
        lambda: store.page(ALL, 1),
        lambda: store.save(prediction(), SEVEN),
        lambda: next(store.entries_with_images(ALL)),
    ]
    with ThreadPoolExecutor(1) as thread, postgres.halted():
        for ask in asks:
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                thread.submit(ask).result(timeout=60)
    until(lambda: works(store), seconds=10 * RETRY_SECONDS)
    store.close()


@pytest.mark.parametrize("still", [True, False])
def test_lost_connection_during_commit_is_uncertain(postgres: Cluster, monkeypatch: pytest.MonkeyPatch, still: bool) -> None:
    """The answer to COMMIT does not come: only then is it not known whether the picture was kept."""
    monkeypatch.setattr("gallery.postgres.SILENCE_SECONDS", 0.5)
    store = Store(parse_url(postgres.new_database()), MAX_ENTRIES)
    store.save(prediction(), SEVEN)
    with ExitStack() as stack:

        class Late(PendingWrite):
            def begin_commit(self) -> None:
                super().begin_commit()
                if still:
                    stack.enter_context(postgres.halted())

        if not still:
            stack.enter_context(postgres.halted())
        with pytest.raises(DatabaseUnavailable) as lost:
            store.save(prediction(), SEVEN, pending=Late())
    assert lost.value.uncertain is still
    until(lambda: works(store), seconds=10 * RETRY_SECONDS)
    store.close()


def test_dropped_postgres_tables_are_created_again(postgres: Cluster) -> None:
    import psycopg

    address = postgres.new_database()
    store = Store(parse_url(address), MAX_ENTRIES)
    store.save(prediction(), SEVEN)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE gallery_entries, gallery_version")
    with pytest.raises(DatabaseUnavailable, match="gallery_entries"):
        store.page(ALL, 1)
    assert works(store)
    store.close()


def test_read_only_postgres_can_be_read_but_not_written(postgres: Cluster) -> None:
    address = postgres.new_database()
    store = Store(parse_url(address), MAX_ENTRIES)
    kept, _ = store.save(prediction(), SEVEN)
    store.close()
    readable = Store(parse_url(f"{address}?options=-c%20default_transaction_read_only=on"), MAX_ENTRIES)
    with pytest.raises(DatabaseUnavailable, match="read-only transaction"):
        readable.save(prediction(), SEVEN)
    assert readable.image(kept.id)[0] == SEVEN.image
    readable.close()

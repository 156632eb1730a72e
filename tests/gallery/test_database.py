"""gallery.database: addresses, and databases that are absent, broken, full or read-only."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import URL, event
from sqlalchemy.pool import Pool

from gallery import Cancellation, Choice, Store, Unavailable, file_url, parse_url
from gallery.database import PAUSE_SECONDS, open_engine
from tests.gallery.conftest import MOST
from tests.gallery.entries import SEVEN, allow, prediction
from tests.support.postgres import Cluster
from tests.support.processes import free_port
from tests.support.waiting import until

ALL = Choice()


def works(store: Store) -> bool:
    """Whether a picture is kept now."""
    try:
        return store.keep(prediction(), SEVEN)[1]
    except Unavailable:
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
def test_addresses(text: str, driver: str) -> None:
    assert parse_url(text).drivername == driver


@pytest.mark.parametrize(
    "text",
    [
        *("", "gallery.db", "/tmp/gallery.db", "secret", "postgresql://me:secret@localhost:port/gallery"),
        *("sqlite://", "sqlite:///:memory:", "sqlite://secret/gallery.db", "mysql://me:secret@localhost/gallery"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="Write sqlite:") as refused:
        parse_url(text)
    assert "secret" not in str(refused.value)


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "gallery.db"), MOST)
    store.close()
    assert list(tmp_path.iterdir()) == []
    store.page(ALL, 1)
    assert (tmp_path / "gallery.db").is_file()
    store.close()


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "volume" / "gallery.db"), MOST)
    with pytest.raises(Unavailable, match="unable to open database file"):
        store.page(ALL, 1)
    (tmp_path / "volume").mkdir()
    until(lambda: works(store))
    store.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    file.write_bytes(b"something else " * 100)
    store = Store(file_url(file), MOST)
    with pytest.raises(Unavailable, match="file is not a database"):
        store.page(ALL, 1)
    file.unlink()
    until(lambda: works(store))
    store.close()


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    url = file_url(tmp_path / "gallery.db")
    store = Store(url, MOST)
    kept, _ = store.keep(prediction(), SEVEN)
    store.close()
    readable = Store(URL.create("sqlite", database=f"file:{url.database}", query={"mode": "ro", "uri": "true"}), MOST)
    for ask in (lambda: readable.keep(prediction(), SEVEN), lambda: readable.correct(kept.id, "1", allow), readable.empty):
        with pytest.raises(Unavailable, match="readonly"):
            ask()
    readable.close()
    assert store.image(kept.id)[0] == SEVEN.image
    store.close()


def modes(folder: Path) -> dict[str, int]:
    """Who may do what with each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Store(file_url(tmp_path / "gallery.db"), MOST)
        store.keep(prediction(), SEVEN)
        assert modes(tmp_path) == dict.fromkeys(("gallery.db", "gallery.db-wal", "gallery.db-shm"), 0o600)
        store.close()
    finally:
        os.umask(before)


def test_a_file_that_all_could_read_is_its_owners_alone_from_then_on(tmp_path: Path) -> None:
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
        store = Store(URL.create("sqlite", database=path, query=query | dict([options.split("=")] if options else [])), MOST)
        store.page(ALL, 1)
        assert set(modes(tmp_path).values()) == {0o600}, name
        store.close()
        file.chmod(0o666)
    other.close()


def test_the_locks_of_another_connection_outlast_a_new_one(tmp_path: Path) -> None:
    """To open and close the file beside SQLite would free what this process has locked in it."""
    url = file_url(tmp_path / "gallery.db")
    store = Store(url, MOST)
    store.keep(prediction(), SEVEN)
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


def test_a_full_disk_loses_nothing_and_is_used_again_when_there_is_room(tmp_path: Path, small_disk: list[int]) -> None:
    store = Store(file_url(tmp_path / "gallery.db"), 1000)
    kept = 0
    with pytest.raises(Unavailable, match="database or disk is full"):
        while True:
            store.keep(prediction(), SEVEN)
            kept += 1
    assert kept == store.page(ALL, 1).total > 0
    store.close()
    small_disk[0] = 1_000_000
    store.keep(prediction(), SEVEN)
    assert len(list(store.pictures(ALL))) == kept + 1
    store.close()


def test_a_file_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    store = Store(file_url(file), MOST)
    store.keep(prediction(), SEVEN)
    store.close()
    file.unlink()
    until(lambda: works(store))
    assert store.page(ALL, 9).total == 1
    store.close()


def test_a_postgres_that_is_not_there() -> None:
    store = Store(parse_url(f"postgresql://me:secret@127.0.0.1:{free_port()}/gallery"), MOST)
    with pytest.raises(Unavailable) as refused:
        store.page(ALL, 1)
    assert str(refused.value) == "it does not answer"


def test_a_postgres_that_ends_and_comes_back(postgres: Cluster) -> None:
    store = Store(parse_url(postgres.new_database()), MOST)
    kept, _ = store.keep(prediction(), SEVEN)
    postgres.stop()
    try:
        assert not works(store)
    finally:
        postgres.start()
    until(lambda: works(store), seconds=10 * PAUSE_SECONDS)
    assert store.image(kept.id)[0] == SEVEN.image
    store.close()


def test_a_postgres_that_stands_still_holds_no_thread_for_ever(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its host goes on answering for it on the level of TCP, so that the connection lives."""
    monkeypatch.setattr("gallery.postgres.SILENCE_SECONDS", 0.5)
    store = Store(parse_url(postgres.new_database()), MOST)
    store.keep(prediction(), SEVEN)
    asks: list[Callable[[], object]] = [
        lambda: store.page(ALL, 1),
        lambda: store.keep(prediction(), SEVEN),
        lambda: next(store.pictures(ALL)),
    ]
    with postgres.halted():
        for ask in asks:
            begun = monotonic()
            with pytest.raises(Unavailable, match="does not answer"):
                ask()
            assert monotonic() - begun < 10
    until(lambda: works(store), seconds=10 * PAUSE_SECONDS)
    store.close()


@pytest.mark.parametrize("still", [True, False])
def test_a_commit_that_nobody_heard_of_may_have_been_done(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch, still: bool
) -> None:
    """The answer to COMMIT does not come: only then is it not known whether the picture was kept."""
    monkeypatch.setattr("gallery.postgres.SILENCE_SECONDS", 0.5)
    store = Store(parse_url(postgres.new_database()), MOST)
    store.keep(prediction(), SEVEN)
    with ExitStack() as stack:

        class Late(Cancellation):
            def begin_commit(self) -> None:
                super().begin_commit()
                if still:
                    stack.enter_context(postgres.halted())

        if not still:
            stack.enter_context(postgres.halted())
        with pytest.raises(Unavailable) as lost:
            store.keep(prediction(), SEVEN, cancellation=Late())
    assert lost.value.uncertain is still
    until(lambda: works(store), seconds=10 * PAUSE_SECONDS)
    store.close()


def test_a_postgres_that_was_emptied_meanwhile(postgres: Cluster) -> None:
    import psycopg

    address = postgres.new_database()
    store = Store(parse_url(address), MOST)
    store.keep(prediction(), SEVEN)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE gallery_entries, gallery_version")
    with pytest.raises(Unavailable, match="gallery_entries"):
        store.page(ALL, 1)
    assert works(store)
    store.close()


def test_a_postgres_that_may_only_be_read(postgres: Cluster) -> None:
    address = postgres.new_database()
    store = Store(parse_url(address), MOST)
    kept, _ = store.keep(prediction(), SEVEN)
    store.close()
    readable = Store(parse_url(f"{address}?options=-c%20default_transaction_read_only=on"), MOST)
    with pytest.raises(Unavailable, match="read-only transaction"):
        readable.keep(prediction(), SEVEN)
    assert readable.image(kept.id)[0] == SEVEN.image
    readable.close()

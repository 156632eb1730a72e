"""Migrations: concurrent, rolled back on failure, refused for newer tables."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, func, inspect, select, text

from gallery import DatabaseUnavailable, Filter, Owner, Store
from gallery.database import open_engine
from gallery.migration import VERSION_TABLE, _config, newest, revision, upgrade
from gallery.tables import Base, Entry
from tests.gallery.entries import SEVEN, prediction
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

WORKERS = 6


def test_migrations_match_the_models(url: URL) -> None:
    engine = open_engine(url, 1)
    assert upgrade(engine)
    assert not upgrade(engine)

    def ours(_table: object, name: str | None, kind: str, _reflected: bool, _with: object) -> bool:
        return (kind, name) != ("table", VERSION_TABLE)

    with engine.connect() as connection:
        assert revision(connection) == newest()
        options = {"compare_type": True, "include_object": ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
    engine.dispose()


def test_concurrent_workers_migrate_once(url: URL) -> None:
    together = Barrier(WORKERS)

    def work(_: int) -> bool:
        engine = open_engine(url, 1)
        together.wait()
        made = upgrade(engine)
        engine.dispose()
        return made

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sorted(pool.map(work, range(WORKERS))) == [False] * (WORKERS - 1) + [True]


def change(url: URL, statement: str) -> None:
    """What another version, or a person, may have done to the database."""
    engine = open_engine(url, 1)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_entries_of_version_001_are_migrated(url: URL) -> None:
    engine = open_engine(url, 1)
    upgrade(engine, "001")
    columns = "id, key, created, updated, model, version, label, confidence, rejected, top, width, height, thumbnail, image"
    values = ":id, :key, :now, :now, 'digits', '1.0.0', '7', 0.5, false, '[]', 280, 280, :thumbnail, :image"
    ids = {key: uuid4() for key in ("a", "b", None)}
    with engine.begin() as connection:
        for number, (key, id) in enumerate(ids.items()):
            row = {"id": id.hex, "key": key, "now": datetime(2026, 1, 1 + number, tzinfo=timezone.utc)}
            pictures = {"thumbnail": bytes(100), "image": bytes(1000 + number)}
            connection.execute(text(f"INSERT INTO gallery_entries ({columns}) VALUES ({values})"), row | pictures)
    engine.dispose()

    store = Store(url, 10)
    found = {entry.key: entry for entry in store.page(Filter(), 10).entries}
    assert {key: entry.id for key, entry in found.items()} == ids
    assert [entry.size for entry in found.values()] == [1102, 1101, 1100]
    assert {(entry.owner, entry.media_type) for entry in found.values()} == {("", "image/png")}
    assert store.image(ids["b"]) == (bytes(1001), "image/png")
    assert store.save(prediction(), SEVEN, "a")[0].id == ids["a"]
    assert store.save(prediction(), SEVEN, "a", Owner("page"))[1]
    store.close()


def test_every_version_can_be_downgraded(url: URL) -> None:
    engine = open_engine(url, 1)
    upgrade(engine)
    for version in ("001", "base"):
        with engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.downgrade(config, version)
    assert inspect(engine).get_table_names() in ([], [VERSION_TABLE])
    engine.dispose()


def test_newer_tables_are_rejected_and_left_unchanged(url: URL, store: Store) -> None:
    store.save(prediction(), SEVEN)
    change(url, f"UPDATE {VERSION_TABLE} SET version_num = '999'")
    late = Store(url, 10)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match=f"its tables are of version 999, newer than {newest()}"):
            late.page(Filter(), 1)
    late.close()
    engine = open_engine(url, 1)
    with engine.connect() as connection:
        assert revision(connection) == "999"
        assert _entries(connection) == 1
    engine.dispose()


def test_failed_migration_is_rolled_back(url: URL) -> None:
    engine = open_engine(url, 1)
    change(url, "CREATE TABLE gallery_entries_by_age (id INTEGER)")  # takes the name of the index, which is made last
    store = Store(url, 10)
    with pytest.raises(DatabaseUnavailable, match="gallery_entries_by_age"):
        store.page(Filter(), 1)
    store.close()
    assert inspect(engine).get_table_names() == ["gallery_entries_by_age"]
    change(url, "DROP TABLE gallery_entries_by_age")
    upgrade(engine)
    engine.dispose()


def test_command_upgrades_and_prints_versions(url: URL) -> None:
    def run(*arguments: str, address: str = url.render_as_string(hide_password=False)) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gallery", *arguments]
        environment = {**os.environ, "GALLERY_URL": address}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    current = run("current")
    assert (current.returncode, current.stderr) == (0, "")
    assert current.stdout.endswith(f": tables of version none, the newest here is {newest()}\n")
    assert run("upgrade").stdout.endswith(f": tables of version {newest()}, the newest here is {newest()}\n")
    change(url, f"UPDATE {VERSION_TABLE} SET version_num = '999'")
    refused = run("upgrade")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "999" in refused.stderr
    assert run("current", address="mysql://localhost/a").returncode == 2


def test_command_uses_the_default_file(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GALLERY_URL"}
    command = [sys.executable, "-m", "gallery", "upgrade"]
    subprocess.run(command, cwd=ROOT, env={**environment, "BENTOML_HOME": str(tmp_path)}, check=True, timeout=60)
    assert (tmp_path / "gallery.db").is_file()


def test_command_reads_the_address_from_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "pictures.db"
    (tmp_path / "gallery_url").write_text(f"sqlite:///{file}\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "GALLERY_URL"}
    command = [sys.executable, "-m", "gallery", "upgrade"]
    subprocess.run(command, cwd=ROOT, env={**environment, "SECRETS_DIR": str(tmp_path)}, check=True, timeout=60)
    assert file.is_file()


def _entries(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(Entry)) or 0

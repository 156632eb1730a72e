"""Migrates the tables of a database to the version of this code, once, even if many processes start together."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

FOLDER: Final = Path(__file__).parent / "migrations"
# Not Alembic's default name, which another application in the same database may use.
VERSION_TABLE: Final = "gallery_version"


class NewerTables(Exception):
    """The tables were made by a newer version of this code."""


def upgrade(engine: Engine, version: str = "head") -> bool:
    """Migrate the tables to the newest version, or to another one; returns whether that was needed.

    ``engine`` must run transactions that write one at a time.

    Raises:
        NewerTables: they are newer than this code.
    """
    with engine.connect() as connection:
        if revision(connection) == newest():
            return False
    with engine.execution_options(writing=True).begin() as connection:
        found = revision(connection)
        if found == newest():
            return False
        if found is not None and found not in _known():
            raise NewerTables(f"its tables are of version {found}, newer than {newest()}, the newest known here")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        return True


def revision(connection: Connection) -> str | None:
    """The version of the tables, or None if there are none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@cache
def newest() -> str:
    """The newest version, which this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    """Alembic's configuration, without a file that would have to be in a Bento."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config

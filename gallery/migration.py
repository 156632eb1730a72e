"""The tables of a database, brought to what this version needs: once, however many processes find them old at a time."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

FOLDER: Final = Path(__file__).parent / "migrations"
# Not Alembic's usual name, which another application in the same database may have taken.
VERSION_TABLE: Final = "gallery_version"


class NewerTables(Exception):
    """The tables were made by a newer version of this code, which alone knows what is in them."""


def upgrade(engine: Engine, version: str = "head") -> bool:
    """Bring the tables to the newest version, or to an earlier one; whether that was needed.

    ``engine`` begins its transactions so that one at a time writes.

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
    """The version of the tables, or None where there are none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@cache
def newest() -> str:
    """The version that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    """Alembic's configuration without a file of its own, which a Bento would have to find."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config

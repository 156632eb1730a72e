"""Run by Alembic: runs the migrations on the connection, and in the transaction, of ``gallery.migration``."""

from alembic import context

from gallery.migration import VERSION_TABLE
from gallery.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, version_table=VERSION_TABLE
)
context.run_migrations()

"""The second version: entries have an owner, within whose entries a client's key is one; a size; and a media type.

SQLite cannot give up a constraint: there the table is copied, for which the disk needs as much room again for a while.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"

# PostgreSQL's name for the constraint that version 001 gave none; SQLite's has none, and is called by it here.
NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}


def upgrade() -> None:
    """Entries that are there have no owner, and are PNGs."""
    copied = op.get_context().dialect.name == "sqlite"

    def after(column: str) -> dict[str, Any]:
        """Before the picture, over which SQLite would have to read to what comes after it."""
        return {"insert_after": column} if copied else {}

    with op.batch_alter_table("gallery_entries", recreate="always" if copied else "never", naming_convention=NAMES) as table:
        table.add_column(sa.Column("owner", sa.String(64), nullable=False, server_default=""), **after("id"))
        table.add_column(sa.Column("size", sa.Integer(), nullable=False, server_default="0"), **after("height"))
        table.add_column(sa.Column("media_type", sa.String(32), nullable=False, server_default="image/png"), **after("size"))
        table.drop_constraint("gallery_entries_key_key", type_="unique")
        table.create_unique_constraint("gallery_entries_owner_key", ["owner", "key"])
    op.execute("UPDATE gallery_entries SET size = length(image) + length(thumbnail)")
    op.create_index("gallery_entries_by_size", "gallery_entries", ["size"])


def downgrade() -> None:
    """Only where no two owners have the same key, and all pictures are PNGs."""
    op.drop_index("gallery_entries_by_size", "gallery_entries")
    with op.batch_alter_table("gallery_entries") as table:
        table.drop_constraint("gallery_entries_owner_key", type_="unique")
        table.create_unique_constraint("gallery_entries_key_key", ["key"])
        for column in ("owner", "size", "media_type"):
            table.drop_column(column)

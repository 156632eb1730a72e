"""Version 002: entries have an owner, a size and a media type, and a client's key is unique per owner.

SQLite cannot drop a constraint: the table is copied, for which the disk temporarily needs as much space again.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"

# PostgreSQL's name of the constraint that has no name in version 001; for SQLite, which has none, it is used here as well.
NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}


def upgrade() -> None:
    """Existing entries get no owner, and the media type PNG."""
    copied = op.get_context().dialect.name == "sqlite"

    def after(column: str) -> dict[str, Any]:
        """Place the column before the image, which SQLite would have to read to reach a later column."""
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
    """Works only if no two owners have the same key and all images are PNGs."""
    op.drop_index("gallery_entries_by_size", "gallery_entries")
    with op.batch_alter_table("gallery_entries") as table:
        table.drop_constraint("gallery_entries_owner_key", type_="unique")
        table.create_unique_constraint("gallery_entries_key_key", ["key"])
        for column in ("owner", "size", "media_type"):
            table.drop_column(column)

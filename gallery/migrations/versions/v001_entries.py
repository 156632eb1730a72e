"""Version 001: the table of entries."""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "gallery_entries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("key", sa.String(64), unique=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("corrected", sa.Text()),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("category", sa.JSON()),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
    )
    op.create_index("gallery_entries_by_age", "gallery_entries", ["created", "id"])


def downgrade() -> None:
    """Drop the table with all entries."""
    op.drop_table("gallery_entries")

"""Notes at a time, of links, campaigns and workspaces.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def of(column: str, table: str, gone: str, nullable: bool) -> sa.Column[int]:
        key = sa.ForeignKey(f"{table}.id", name=f"fk_annotations_{column}", ondelete=gone)
        return sa.Column(column, Number, key, nullable=nullable)

    op.create_table(
        "annotations",
        sa.Column("id", Number, nullable=False),
        of("workspace_id", "workspaces", "CASCADE", False),
        of("person_id", "people", "SET NULL", True),
        of("link_id", "links", "CASCADE", True),
        of("campaign_id", "campaigns", "CASCADE", True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("text", sa.String(280), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_annotations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_annotations_workspace", "annotations", ["workspace_id", "at"])
    op.create_index("ix_annotations_link_id", "annotations", ["link_id"])
    op.create_index("ix_annotations_campaign_id", "annotations", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("annotations")

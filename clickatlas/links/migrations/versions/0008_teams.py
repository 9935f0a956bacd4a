"""Histories of links, templates of campaign parameters, receipts of requests.

Revision: 0008, after 0007. Of what was done before, no link's history tells.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("link_id", Number, nullable=True))
        batch.add_column(sa.Column("detail", sa.String(1000), nullable=False, server_default=""))
        batch.create_index("ix_audit_link_id", ["link_id"])
    op.create_table(
        "utm_templates",
        sa.Column("id", Number, nullable=False),
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_utm_templates_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("parts", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_utm_templates"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_utm_templates_workspace_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "receipts",
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_receipts_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_receipts"),
    )
    op.create_index("ix_receipts_at", "receipts", ["at"])


def downgrade() -> None:
    op.drop_table("receipts")
    op.drop_table("utm_templates")
    with op.batch_alter_table("audit") as batch:
        batch.drop_index("ix_audit_link_id")
        batch.drop_column("detail")
        batch.drop_column("link_id")

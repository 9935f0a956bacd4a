"""Digests: who gets one, when, and which was the last.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def of(column: str, table: str, *, nullable: bool) -> sa.Column[int]:
        key = sa.ForeignKey(f"{table}.id", name=f"fk_digests_{column}", ondelete="CASCADE")
        return sa.Column(column, Number, key, nullable=nullable)

    op.create_table(
        "digests",
        sa.Column("id", Number, nullable=False),
        of("workspace_id", "workspaces", nullable=False),
        of("person_id", "people", nullable=True),
        of("webhook_id", "webhooks", nullable=True),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("done", sa.String(32), nullable=True),
        sa.Column("done_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.UniqueConstraint("workspace_id", "person_id", name="uq_digests_person"),
        sa.UniqueConstraint("webhook_id", name="uq_digests_webhook_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("digests")

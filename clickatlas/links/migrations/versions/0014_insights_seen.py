"""Insights that were seen, so that new ones can be told.

Revision: 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "insight_looks",
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_insight_looks_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_insight_looks"),
    )
    op.create_table(
        "insights_seen",
        sa.Column("id", Number, nullable=False),
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_insights_seen_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("areas", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sentence", sa.String(1000), nullable=False),
        sa.Column("news", sa.Boolean(), nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_insights_seen"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_insights_seen_workspace_id", "insights_seen", ["workspace_id"])


def downgrade() -> None:
    op.drop_table("insights_seen")
    op.drop_table("insight_looks")

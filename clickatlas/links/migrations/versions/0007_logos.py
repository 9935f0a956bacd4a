"""Logos of workspaces.

Revision: 0007, after 0006. None has one yet.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "logos",
        sa.Column(
            "workspace_id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            sa.ForeignKey("workspaces.id", name="fk_logos_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_logos"),
    )


def downgrade() -> None:
    op.drop_table("logos")

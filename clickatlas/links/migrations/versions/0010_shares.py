"""Public maps.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", Number, nullable=False),
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_shares_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "person_id",
            Number,
            sa.ForeignKey("people.id", name="fk_shares_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("filter", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("min_cell", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("password", sa.String(200), nullable=True),
        sa.Column("embed", sa.Boolean(), nullable=False),
        sa.Column("origins", sa.String(2000), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shares"),
        sa.UniqueConstraint("digest", name="uq_shares_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shares_workspace_id", "shares", ["workspace_id"])


def downgrade() -> None:
    op.drop_table("shares")

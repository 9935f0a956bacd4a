"""Domains of workspaces' own.

Revision: 0017, after 0016. A link's code may be longer now; SQLite never minded,
and PostgreSQL's tables are made with that room (0001).
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "domains",
        sa.Column("id", Number, nullable=False),
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_domains_workspace_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", sa.String(253), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("verified_at", Moment(), nullable=True),
        sa.Column("checked_at", Moment(), nullable=True),
        sa.Column("problem", sa.String(500), nullable=False),
        sa.Column("points_here", sa.Boolean(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domains"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_domains_workspace_id"),
        sqlite_autoincrement=True,
    )
    held = sa.text("verified_at IS NOT NULL")
    op.create_index(
        "ix_domains_held", "domains", ["name"], unique=True, sqlite_where=held, postgresql_where=held
    )


def downgrade() -> None:
    op.drop_table("domains")

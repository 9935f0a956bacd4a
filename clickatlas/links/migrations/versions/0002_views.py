"""Saved views.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("workspace_id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=8000), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_views_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_views_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_views_workspace_id")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("views")

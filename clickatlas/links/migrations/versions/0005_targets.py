"""Targets of links and campaigns.

Revision: 0005, after 0004. None has one yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("target", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("campaigns", sa.Column("target", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    for table in ("links", "campaigns"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("target")

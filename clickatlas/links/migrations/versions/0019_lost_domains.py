"""Domains that lead here no longer.

Revision: 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("domains") as batch:
        batch.add_column(sa.Column("astray", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("lost_at", Moment(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("domains") as batch:
        batch.drop_column("lost_at")
        batch.drop_column("astray")

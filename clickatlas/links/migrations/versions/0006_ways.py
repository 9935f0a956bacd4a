"""What teams set on links: start, limit, password, ways, notes, archive.

Revision: 0006, after 0005. Every link stays as it was.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("links") as batch:
        batch.add_column(sa.Column("status", sa.Integer(), nullable=False, server_default="302"))
        batch.add_column(sa.Column("starts_at", Moment(), nullable=True))
        batch.add_column(sa.Column("max_clicks", Number, nullable=True))
        batch.add_column(sa.Column("spent_at", Moment(), nullable=True))
        batch.add_column(sa.Column("password", sa.String(200), nullable=True))
        batch.add_column(sa.Column("archived_at", Moment(), nullable=True))
        batch.add_column(sa.Column("notes", sa.String(5000), nullable=False, server_default=""))
        batch.add_column(sa.Column("ways", sa.JSON(none_as_null=True), nullable=True))
        batch.add_column(sa.Column("ways_made", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    columns = "ways_made ways notes archived_at password spent_at max_clicks starts_at status"
    with op.batch_alter_table("links") as batch:
        for column in columns.split():
            batch.drop_column(column)

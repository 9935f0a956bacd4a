"""Plans of workspaces, and the payment events that were taken.

Revision: 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("workspaces") as batch:
        batch.add_column(sa.Column("plan", sa.String(16), nullable=True))
        batch.add_column(sa.Column("plan_at", Moment(), nullable=True))
        batch.add_column(sa.Column("customer", sa.String(255), nullable=True))
        batch.create_index("ix_workspaces_customer", ["customer"])
    op.create_table(
        "payment_events",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_events"),
    )


def downgrade() -> None:
    op.drop_table("payment_events")
    op.drop_index("ix_workspaces_customer", "workspaces")
    for column in (
        "customer",
        "plan_at",
        "plan",
    ):  # not as a batch: making the table anew would empty all others
        op.drop_column("workspaces", column)

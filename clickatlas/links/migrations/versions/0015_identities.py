"""Who signs in by an identity provider, and where somebody was last.

Revision: 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("memberships", sa.Column("entered_at", Moment(), nullable=True))
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column(
            "person_id",
            Number,
            sa.ForeignKey("people.id", name="fk_identities_person_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
    )
    op.create_index("ix_identities_person_id", "identities", ["person_id"])


def downgrade() -> None:
    op.drop_table("identities")
    op.drop_column("memberships", "entered_at")

"""Letters: invitations, accounts begun, new addresses.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment, Number

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("id", Number, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column(
            "workspace_id",
            Number,
            sa.ForeignKey("workspaces.id", name="fk_letters_workspace_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column(
            "person_id",
            Number,
            sa.ForeignKey("people.id", name="fk_letters_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("digest", name="uq_letters_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_letters_email", "letters", ["email"])
    op.create_index("ix_letters_workspace_id", "letters", ["workspace_id"])


def downgrade() -> None:
    op.drop_table("letters")

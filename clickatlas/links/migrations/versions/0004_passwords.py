"""Passwords, scopes of tokens, and the day a key was last used.

Revision: 0004, after 0003. Tokens made before may do what they could: everything.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("digest", sa.String(length=200), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_passwords_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_passwords")),
    )
    op.add_column("keys", sa.Column("scopes", sa.String(length=100), nullable=False, server_default=""))
    op.add_column("keys", sa.Column("used_on", sa.Date(), nullable=True))
    op.execute("UPDATE keys SET scopes = 'admin' WHERE kind = 'token'")
    op.execute("UPDATE people SET email = lower(email) WHERE email IS NOT NULL")


def downgrade() -> None:
    with op.batch_alter_table("keys") as batch:
        batch.drop_column("used_on")
        batch.drop_column("scopes")
    op.drop_table("passwords")

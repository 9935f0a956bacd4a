"""Since when an account's address is known to be its person's, and an invitation's mailed secret.

Revision: 0018, after 0017. Accounts that an invitation's link made may be somebody else's: those are not proved yet.
"""

import sqlalchemy as sa
from alembic import op

from clickatlas.links.models import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("letters") as batch:
        batch.add_column(sa.Column("mailed", sa.String(64), nullable=True))
        batch.create_unique_constraint("uq_letters_mailed", ["mailed"])
    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("proved_at", Moment(), nullable=True))
    people = sa.table("people", *map(sa.column, ("id", "email", "created_at", "proved_at")))
    audit = sa.table("audit", *map(sa.column, ("person_id", "action")))
    done = {
        action: sa.select(audit.c.person_id).where(audit.c.action == action, audit.c.person_id.is_not(None))
        for action in ("invitation.accept", "person.create", "identity.join")
    }
    op.execute(
        people.update()
        .where(
            people.c.email.is_not(None),
            sa.or_(
                people.c.id.not_in(done["invitation.accept"]),
                people.c.id.in_(done["person.create"]),
                people.c.id.in_(done["identity.join"]),
            ),
        )
        .values(proved_at=people.c.created_at)
    )


def downgrade() -> None:
    with op.batch_alter_table("people") as batch:
        batch.drop_column("proved_at")
    with op.batch_alter_table("letters") as batch:
        batch.drop_constraint("uq_letters_mailed", type_="unique")
        batch.drop_column("mailed")

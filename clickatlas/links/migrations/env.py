"""Alembic's way into the links database: the caller brings the connection."""

from alembic import context

from clickatlas.links.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()

"""Alembic's entry: runs on the connection that the store hands over, in batch mode (SQLite cannot alter in place)."""

from __future__ import annotations

from alembic import context

from core.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()

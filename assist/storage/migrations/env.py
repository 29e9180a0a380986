"""Alembic's entry. The connection is handed over by `assist.storage.engine.migrate`; there is no ini file."""

from alembic import context

from assist.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

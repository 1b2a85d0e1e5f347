"""What Alembic runs: the revisions, on the connection and inside the transaction that migrations.upgrade() has begun."""

from alembic import context

from gateway.storage.tables import metadata

connection = context.config.attributes["connection"]
# The transaction is ours: Alembic must neither begin nor commit one between revisions.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()

"""Alembic environment: runs on the connection that ``governance.storage.database`` hands in."""

from alembic import context

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    # two services that start at once migrate one after the other
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7238461290)")
context.configure(
    connection=connection,
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,  # the caller's transaction holds it all
)
context.run_migrations()

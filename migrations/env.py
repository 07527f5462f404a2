"""Runs the migrations against the database that the caller names, or CYLINDER_TRACE_DATABASE_URL."""

import os

from alembic import context
from sqlalchemy import create_engine

config = context.config
url = config.attributes.get("url") or os.environ.get(
    "CYLINDER_TRACE_DATABASE_URL", "sqlite:///cylinder-trace.sqlite3"
)
engine = create_engine(url)
try:
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=config.attributes.get("metadata"),
            transaction_per_migration=True,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()

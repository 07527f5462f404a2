"""What the system knows of its own health that is in no other table."""

from sqlalchemy import BigInteger, Column, String, Table

from cylinder_trace.store.tables.naming import metadata

snapshot_fetch = Table(
    "snapshot_fetch",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("site_id", String(64), nullable=False),
    Column("fetched_ms", BigInteger, nullable=False),
)

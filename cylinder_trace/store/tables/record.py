"""The ledger: append-only by the database itself, and the work that its events make."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
)

from cylinder_trace.store.tables.naming import Serial, metadata, tries

event = Table(
    "event",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("code", String(64)),
    Column("site_id", String(64)),
    Column("operator_id", String(64)),
    Column("device_id", String(64)),
    Column("device_seq", BigInteger),
    Column("occurred_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Index(None, "code", "occurred_ms"),
    Index(None, "site_id", "occurred_ms"),
    Index(None, "kind", "occurred_ms"),
)

pending = Table(
    "pending",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("code", String(64)),
    Column("received_ms", BigInteger, nullable=False),
    *tries(),
    Index(None, "received_ms"),
    Index(None, "code"),
)

correction = Table(
    "correction",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("corrects", String(36), nullable=False, index=True),
)

rejudge = Table(
    "rejudge",
    metadata,
    Column("cylinder_id", String(64), primary_key=True),
    Column("because", String(36)),
    *tries(),
)

code_link = Table(
    "code_link",
    metadata,
    Column("code", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("parent", String(64), nullable=False, index=True),
    Column("bound_ms", BigInteger, nullable=False),
    Column("void", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("code", "event_id"),
)

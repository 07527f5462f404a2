"""Parties, devices, and people who may sign in."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
)

from cylinder_trace.store.tables.naming import metadata

party = Table(
    "party",
    metadata,
    Column("record", String(10), nullable=False),
    Column("id", String(64), nullable=False),
    Column("valid_from", String(10), nullable=False, server_default=""),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("record", "id", "valid_from"),
)

reference_version = Table(
    "reference_version",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("site_id", String(64), nullable=False),
    Column("is_office", Boolean, nullable=False, server_default=false()),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

device_nonce = Table(
    "device_nonce",
    metadata,
    Column("device_id", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("seen_ms", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("device_id", "nonce"),
)

account = Table(
    "account",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("scope_id", String(64), nullable=False),
)

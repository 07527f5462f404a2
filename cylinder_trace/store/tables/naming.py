"""How tables, keys and indexes are named, and the columns that several tables have alike."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in an INTEGER key.
Serial = BigInteger().with_variant(Integer, "sqlite")


def tries() -> tuple[Column[Any], ...]:
    """What a list of work keeps of a piece that failed: how often, when it is tried again, and why."""
    return (
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("not_before_ms", BigInteger, nullable=False, server_default="0"),
        Column("error", String(500)),
    )

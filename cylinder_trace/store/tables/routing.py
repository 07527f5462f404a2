"""Which groups were told of when: mails about one group keep a distance, and a rule has its share of a day."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table

from cylinder_trace.store.tables.naming import metadata

# `day` is the local day of the last mail, `mails` how many there were on it. Empty texts stand for none.
told_group = Table(
    "told_group",
    metadata,
    Column("district", String(6), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("site_id", String(64), nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("mails", Integer, nullable=False),
    PrimaryKeyConstraint("district", "rule", "site_id"),
    Index(None, "rule", "day"),
)

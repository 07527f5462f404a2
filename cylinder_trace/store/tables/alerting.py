"""What was found, the alerts it makes, and who is told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from cylinder_trace.store.tables.naming import Serial, metadata

finding = Table(
    "finding",
    metadata,
    Column("unit", String(80), nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("site_id", String(64)),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("unit", "fingerprint", "event_id"),
    Index(None, "fingerprint", "at_ms", "event_id"),
    Index(None, "event_id"),
    Index(None, "rule", "site_id", "at_ms"),
)

alert = Table(
    "alert",
    metadata,
    Column("fingerprint", String(32), primary_key=True),
    Column("rule", String(40), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("anchor", String(128), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("transition_no", Integer, nullable=False),
    # It comes back after it ended as its next episode; `opened_ms` is of this one, `first_opened_ms` of the first.
    Column("episode", Integer, nullable=False, server_default="1"),
    Column("first_opened_ms", BigInteger, nullable=False, server_default="0"),
    Column("site_id", String(64)),
    Column("district", String(6)),
    Column("cylinder_id", String(64), index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "district", "status", "at_ms"),
    Index(None, "status", "at_ms"),
    Index(None, "site_id", "at_ms"),
    Index(None, "site_id", "rule", "status"),
)

alert_history = Table(
    "alert_history",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("transition_no", Integer, nullable=False),
    Column("became", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("because", String(36)),
    Column("episode", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("fingerprint", "transition_no"),
)

notice = Table(
    "notice",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("transition_no", Integer, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("district", String(6)),
    Column("due_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    # What has to be told of one transition after it was told: that nobody acted, that it became worse.
    Column("step", Integer, nullable=False, server_default="0"),
    Column("level", Integer, nullable=False, server_default="0"),
    Column("in_digest", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("fingerprint", "transition_no", "step"),
    Index(None, "state", "due_ms"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("mail_id", Serial, primary_key=True, autoincrement=True),
    Column("group_key", String(64), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", LargeBinary(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_ms", BigInteger, nullable=False),
    Column("last_answer", String(500)),
    Column("created_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    UniqueConstraint("group_key", "recipient"),
    Index(None, "state", "next_try_ms"),
)

recipient = Table(
    "recipient",
    metadata,
    Column("address", String(254), nullable=False),
    Column("district", String(6), nullable=False),
    Column("name", String(100), nullable=False),
    Column("rules", Text, nullable=False, server_default=""),
    Column("severities", String(5), nullable=False, server_default=""),
    Column("hours", String(8), nullable=False, server_default="any"),
    Column("level", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("address", "district"),
)

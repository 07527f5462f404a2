"""How alerts are looked after, the log of it, which is only added to, and which mails told of them."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from cylinder_trace.store.tables.naming import metadata

# One row an episode. `wake_ms` is when the walk is to look at it: a snooze ends, or nobody acknowledged in time.
alert_care = Table(
    "alert_care",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("acknowledged_by", String(64)),
    Column("acknowledged_ms", BigInteger),
    Column("assigned_to", String(64)),
    Column("snoozed_until_ms", BigInteger),
    Column("snoozed_until_times", Integer),
    Column("level", Integer, nullable=False),
    Column("verdict", String(16)),
    Column("wake_ms", BigInteger),
    PrimaryKeyConstraint("fingerprint", "episode"),
    Index(None, "wake_ms"),
    Index(None, "opened_ms"),
)

# `who` is empty where nobody did it. Name and role are kept with it: people leave, and a log has to go on saying who.
alert_note = Table(
    "alert_note",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("did", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("who", String(64), nullable=False),
    Column("who_name", String(100), nullable=False),
    Column("who_role", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Column("assignee", String(64)),
    Column("until_ms", BigInteger),
    Column("until_times", Integer),
    Column("level", Integer, nullable=False),
    Column("verdict", String(16)),
    PrimaryKeyConstraint("fingerprint", "episode", "number"),
)

# A group is one mail to each of its recipients in the outbox.
notice_mail = Table(
    "notice_mail",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("transition_no", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("group_key", String(64), nullable=False),
    PrimaryKeyConstraint("fingerprint", "transition_no", "step", "group_key"),
)

"""What stations have to do day by day: records to be signed, contacts who are reminded, and cylinders nobody sees."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from cylinder_trace.store.tables.naming import metadata

# A record that a station owes for a period, from the day on which its draft can be read. `state` is open or signed.
duty_record = Table(
    "duty_record",
    metadata,
    Column("site_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("first_day", Integer, nullable=False),
    Column("district", String(6)),
    Column("state", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    # When somebody is reminded next, None where nobody is; and who was last: 0 nobody, 1 the station, 2 its district.
    Column("wake_ms", BigInteger, index=True),
    Column("reminded", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "kind", "first_day"),
    Index(None, "kind", "first_day"),
    Index(None, "site_id", "state", "due_ms"),
    Index(None, "district", "state", "due_ms"),
    Index(None, "state", "due_ms"),
)

# What was signed, as it was signed; append-only. `sha256` is of `content`, character by character in UTF-8.
duty_signature = Table(
    "duty_signature",
    metadata,
    Column("site_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("first_day", Integer, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
    Column("username", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("site_id", "kind", "first_day"),
)

# Addresses of a station or a firm, for reminders and due lists.
contact = Table(
    "contact",
    metadata,
    Column("party_id", String(64), nullable=False),
    Column("address", String(254), nullable=False),
    Column("name", String(100), nullable=False),
    # Monday of the last week whose due list was looked at for it.
    Column("told_week", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("party_id", "address"),
    Index(None, "told_week"),
)

# Cylinders that nobody has seen for a year, until they are seen again.
idle_cylinder = Table(
    "idle_cylinder",
    metadata,
    Column("cylinder_id", String(64), primary_key=True),
    Column("owner_id", String(64)),
    Column("district", String(6)),
    Column("site_id", String(64)),
    Column("seen_day", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index(None, "owner_id", "state", "seen_day"),
    Index(None, "district", "state", "seen_day"),
    Index(None, "state", "seen_day"),
)

# Who settled what, when and why; append-only.
idle_log = Table(
    "idle_log",
    metadata,
    Column("cylinder_id", String(64), nullable=False),
    Column("no", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(64)),
    Column("became", String(16), nullable=False),
    Column("why", String(500), nullable=False),
    PrimaryKeyConstraint("cylinder_id", "no"),
)

# How far the list of idle cylinders has been brought.
idle_looked = Table(
    "idle_looked",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("until_day", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

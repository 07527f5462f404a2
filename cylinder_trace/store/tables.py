"""The tables. `event` is the ledger, append-only by the database itself; all else can be rebuilt or is our own work."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
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
_Serial = BigInteger().with_variant(Integer, "sqlite")


def _tries() -> tuple[Column[Any], ...]:
    """What a list of work keeps of a piece that failed: how often, when it is tried again, and why."""
    return (
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("not_before_ms", BigInteger, nullable=False, server_default="0"),
        Column("error", String(500)),
    )


event = Table(
    "event",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
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
    *_tries(),
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
    *_tries(),
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

cylinder = Table(
    "cylinder",
    metadata,
    Column("cylinder_id", String(64), primary_key=True),
    Column("state", Text, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("wake_ms", BigInteger, index=True),
    Column("owner_id", String(64), index=True),
    Column("site_id", String(64), index=True),
    Column("changed_ms", BigInteger, nullable=False, server_default="0", index=True),
)

leg = Table(
    "leg",
    metadata,
    Column("cylinder_id", String(64), nullable=False),
    Column("no", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("from_site", String(64), nullable=False),
    Column("to_site", String(64), nullable=False),
    Column("departed_ms", BigInteger),
    Column("arrived_ms", BigInteger),
    Column("depart_event", String(36)),
    Column("arrive_event", String(36)),
    Column("owner", String(64)),
    Column("gas_g", Integer),
    Column("gap", Boolean, nullable=False, server_default=false()),
    Column("decanted", Boolean, nullable=False, server_default=false()),
    Column("outside", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("cylinder_id", "no"),
    Index(None, "from_site", "arrived_ms"),
    Index(None, "to_site", "arrived_ms"),
    # The few legs that a network rule asks for among all that ever left a site.
    Index(
        "ix_leg_marked",
        "from_site",
        sqlite_where=text("decanted OR outside"),
        postgresql_where=text("decanted OR outside"),
    ),
)

touched_site = Table(
    "touched_site",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("due_ms", BigInteger, nullable=False, server_default="0"),
    *_tries(),
)

# Movements from one site to another on one local day, kept up to date with the legs.
flow = Table(
    "flow",
    metadata,
    Column("from_site", String(64), nullable=False),
    Column("to_site", String(64), nullable=False),
    Column("day", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("from_site", "to_site", "day"),
    Index(None, "from_site", "day"),
    Index(None, "to_site", "day"),
)

# What a site did on one local day, in numbers: what the rules over several days look at.
site_day = Table(
    "site_day",
    metadata,
    Column("day", Integer, nullable=False),
    Column("site_id", String(64), nullable=False),
    Column("tally", Text, nullable=False),
    PrimaryKeyConstraint("day", "site_id"),
)

touched_day = Table(
    "touched_day",
    metadata,
    Column("site_id", String(64), nullable=False),
    Column("day", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    *_tries(),
    PrimaryKeyConstraint("site_id", "day"),
    Index(None, "due_ms"),
)

touched_city_day = Table(
    "touched_city_day",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("due_ms", BigInteger, nullable=False),
    *_tries(),
)

# How far each device has been heard: what was scanned after it may still be on the way.
device_heard = Table(
    "device_heard",
    metadata,
    Column("device_id", String(64), primary_key=True),
    Column("site_id", String(64), nullable=False, index=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("last_occurred_ms", BigInteger, nullable=False),
    Column("last_received_ms", BigInteger, nullable=False),
)

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
    Column("site_id", String(64)),
    Column("district", String(6)),
    Column("cylinder_id", String(64), index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "district", "status", "at_ms"),
    Index(None, "status", "at_ms"),
)

alert_history = Table(
    "alert_history",
    metadata,
    Column("fingerprint", String(32), nullable=False),
    Column("transition_no", Integer, nullable=False),
    Column("became", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("because", String(36)),
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
    PrimaryKeyConstraint("fingerprint", "transition_no"),
    Index(None, "state", "due_ms"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("mail_id", _Serial, primary_key=True, autoincrement=True),
    Column("group_key", String(64), nullable=False),
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
    PrimaryKeyConstraint("address", "district"),
)

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

job = Table(
    "job",
    metadata,
    Column("job", String(40), primary_key=True),
    Column("last_start_ms", BigInteger),
    Column("last_success_ms", BigInteger),
    Column("last_error", Text),
    Column("last_result", Text),
    Column("next_run_ms", BigInteger),
)

job_claim = Table(
    "job_claim",
    metadata,
    Column("job", String(40), nullable=False),
    Column("slot_ms", BigInteger, nullable=False),
    Column("worker", String(100), nullable=False),
    PrimaryKeyConstraint("job", "slot_ms"),
)

"""Cases: what stands now, and append-only what was done, sent in and issued."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
    text,
)

from cylinder_trace.store.tables.naming import Serial, metadata

case_file = Table(
    "case_file",
    metadata,
    Column("case_id", Serial, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    # The number of its newest entry in `case_log`: who saw an older one may not change it.
    Column("version", Integer, nullable=False),
    Column("district", String(6), nullable=False),
    Column("site_id", String(64)),
    Column("about_case", BigInteger),
    Column("severity", Integer),
    Column("facts", Text, nullable=False),
    Column("demands", Text, nullable=False),
    Column("number", String(60)),
    Column("opened_ms", BigInteger, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("issued_ms", BigInteger),
    Column("issued_by", String(64)),
    Column("is_serious", Boolean, nullable=False, server_default=false()),
    Column("is_escalated", Boolean, nullable=False, server_default=false()),
    Column("due_ms", BigInteger),
    Column("is_due_noted", Boolean, nullable=False, server_default=false()),
    Column("appeal", String(8), nullable=False, server_default=""),
    Column("appeal_due_ms", BigInteger),
    Column("is_appeal_noted", Boolean, nullable=False, server_default=false()),
    Column("closed_ms", BigInteger),
    Column("closed_how", String(8), nullable=False, server_default=""),
    Column("wake_ms", BigInteger, index=True),
    Index(None, "district", "state", "due_ms"),
    Index(None, "site_id", "state", "due_ms"),
    Index(None, "state", "due_ms"),
)

case_alert = Table(
    "case_alert",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("is_live", Boolean, nullable=False),
    Column("verdict", String(12)),
    PrimaryKeyConstraint("case_id", "fingerprint", "episode"),
    # An episode of an alert is dealt with in one case; a dropped draft lets it go.
    Index(
        "ix_case_alert_live",
        "fingerprint",
        "episode",
        unique=True,
        sqlite_where=text("is_live"),
        postgresql_where=text("is_live"),
    ),
)

case_log = Table(
    "case_log",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("no", Integer, nullable=False),
    Column("step", String(16), nullable=False),
    Column("became", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("by_name", String(100), nullable=False),
    Column("by_role", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Column("due_ms", BigInteger),
    PrimaryKeyConstraint("case_id", "no"),
)

case_attachment = Table(
    "case_attachment",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("no", Integer, nullable=False),
    Column("name", String(120), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("case_id", "log_no", "no"),
)

case_paper = Table(
    "case_paper",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("number", String(60), nullable=False, unique=True),
    Column("html", LargeBinary, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("case_id", "log_no"),
)

case_number = Table(
    "case_number",
    metadata,
    Column("series", String(40), primary_key=True),
    Column("last", Integer, nullable=False),
)

"""What is drawn from the ledger: cylinders, their legs, and the days of sites. All of it can be rebuilt."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
    text,
)

from cylinder_trace.store.tables.naming import metadata, tries

cylinder = Table(
    "cylinder",
    metadata,
    Column("cylinder_id", String(64), primary_key=True),
    Column("state", Text, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("wake_ms", BigInteger, index=True),
    Column("owner_id", String(64)),
    Column("site_id", String(64)),
    # The last day it may be used, None while it is out of use; and the day it was last seen.
    Column("term_day", Integer),
    Column("seen_day", Integer, index=True),
    Column("changed_ms", BigInteger, nullable=False, server_default="0", index=True),
    Index(None, "owner_id", "term_day"),
    Index(None, "site_id", "term_day"),
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
    # For a firm whose licence changes. It costs a new leg 3 us, of some 200 that it takes to judge its event.
    Index(None, "owner", "arrived_ms"),
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
    *tries(),
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
    *tries(),
    PrimaryKeyConstraint("site_id", "day"),
    Index(None, "due_ms"),
)

touched_city_day = Table(
    "touched_city_day",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("due_ms", BigInteger, nullable=False),
    *tries(),
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

"""Draws of stations and inspectors, the visits that follow, and trials of rules on the past."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from cylinder_trace.store.tables.naming import metadata

# What is to be drawn from, fixed before the value is known that the seed is made of. Append-only.
draw_plan = Table(
    "draw_plan",
    metadata,
    Column("plan_id", String(36), primary_key=True),
    Column("district", String(6), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("ballot", Text, nullable=False),
    Column("ballot_sha256", String(64), nullable=False),
    Column("seed_from", String(300)),
    Column("planned_ms", BigInteger, nullable=False),
    Column("planned_by", String(64), nullable=False),
    Index(None, "district", "planned_ms"),
)

# One draw of a plan and no second: nobody draws until he likes what comes. Append-only.
draw = Table(
    "draw",
    metadata,
    Column("plan_id", String(36), primary_key=True),
    Column("public_value", String(300)),
    Column("seed", String(64), nullable=False),
    Column("algorithm", String(40), nullable=False),
    Column("result", Text, nullable=False),
    Column("drawn_ms", BigInteger, nullable=False),
    Column("drawn_by", String(64), nullable=False),
)

# An inspection that was carried out at a station. Append-only.
site_visit = Table(
    "site_visit",
    metadata,
    Column("visit_id", String(36), primary_key=True),
    Column("site_id", String(64), nullable=False),
    Column("plan_id", String(36), index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("note", String(1000)),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Index(None, "site_id", "at_ms"),
)

_RUNNING = text("state = 'running'")

trial = Table(
    "trial",
    metadata,
    Column("trial_id", String(36), primary_key=True),
    Column("asked", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_ms", BigInteger, nullable=False, index=True),
    Column("beat_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("result", Text),
    Column("error", String(500)),
    # One at a time, by whatever process it was asked for.
    Index("ix_trial_running", "state", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
)

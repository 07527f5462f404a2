"""The worker's jobs, and who took which slot."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table, Text

from cylinder_trace.store.tables.naming import metadata

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

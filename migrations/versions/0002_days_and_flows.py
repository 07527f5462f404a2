"""What sites did day by day, how cylinders flow between them, and how far each device has been heard"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _tries() -> tuple[sa.Column, ...]:
    return (
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        "flow",
        sa.Column("from_site", sa.String(length=64), nullable=False),
        sa.Column("to_site", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("from_site", "to_site", "day", name=op.f("pk_flow")),
    )
    # What moved before this table was there; a day is `date.toordinal` in Shanghai.
    op.execute(
        "INSERT INTO flow (from_site, to_site, day, n) SELECT from_site, to_site, day, count(*) FROM"
        " (SELECT from_site, to_site, (coalesce(arrived_ms, departed_ms) + 62135712000000) / 86400000 AS day"
        " FROM leg) AS moved GROUP BY from_site, to_site, day"
    )
    op.create_index(op.f("ix_flow_from_site_day"), "flow", ["from_site", "day"], unique=False)
    op.create_index(op.f("ix_flow_to_site_day"), "flow", ["to_site", "day"], unique=False)
    op.create_index(
        "ix_leg_marked",
        "leg",
        ["from_site"],
        unique=False,
        sqlite_where=sa.text("decanted OR outside"),
        postgresql_where=sa.text("decanted OR outside"),
    )
    op.create_table(
        "site_day",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "site_id", name=op.f("pk_site_day")),
    )
    op.create_table(
        "touched_day",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        *_tries(),
        sa.PrimaryKeyConstraint("site_id", "day", name=op.f("pk_touched_day")),
    )
    op.create_index(op.f("ix_touched_day_due_ms"), "touched_day", ["due_ms"], unique=False)
    op.create_table(
        "touched_city_day",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        *_tries(),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_touched_city_day")),
    )
    op.create_table(
        "device_heard",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_occurred_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_heard")),
    )
    op.create_index(op.f("ix_device_heard_site_id"), "device_heard", ["site_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_leg_marked", table_name="leg")
    for table in ("device_heard", "touched_city_day", "touched_day", "site_day", "flow"):
        op.drop_table(table)

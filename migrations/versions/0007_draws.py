"""Draws of stations and inspectors, with the seed to repeat them; visits; trials of rules"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draw_plan",
        sa.Column("plan_id", sa.String(length=36), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("ballot", sa.Text(), nullable=False),
        sa.Column("ballot_sha256", sa.String(length=64), nullable=False),
        sa.Column("seed_from", sa.String(length=300), nullable=True),
        sa.Column("planned_ms", sa.BigInteger(), nullable=False),
        sa.Column("planned_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_draw_plan")),
    )
    op.create_index(
        op.f("ix_draw_plan_district_planned_ms"), "draw_plan", ["district", "planned_ms"], unique=False
    )
    op.create_table(
        "draw",
        sa.Column("plan_id", sa.String(length=36), nullable=False),
        sa.Column("public_value", sa.String(length=300), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=40), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("drawn_ms", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_draw")),
    )
    op.create_table(
        "site_visit",
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.String(length=36), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_site_visit")),
    )
    op.create_index(op.f("ix_site_visit_plan_id"), "site_visit", ["plan_id"], unique=False)
    op.create_index(op.f("ix_site_visit_site_id_at_ms"), "site_visit", ["site_id", "at_ms"], unique=False)
    op.create_table(
        "trial",
        sa.Column("trial_id", sa.String(length=36), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("beat_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trial")),
    )
    op.create_index(op.f("ix_trial_started_ms"), "trial", ["started_ms"], unique=False)
    op.create_index(
        "ix_trial_running",
        "trial",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def downgrade() -> None:
    for table in ("trial", "site_visit", "draw", "draw_plan"):
        op.drop_table(table)

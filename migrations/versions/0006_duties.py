"""The daily, weekly and monthly records of stations, and what is due at them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _ms(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def upgrade() -> None:
    op.create_table(
        "duty_record",
        _text("site_id", 64),
        _text("kind", 8),
        _whole("first_day"),
        _text("district", 6, nullable=True),
        _text("state", 8),
        _whole("version"),
        _ms("due_ms"),
        _ms("wake_ms", nullable=True),
        _whole("reminded"),
        sa.PrimaryKeyConstraint("site_id", "kind", "first_day", name=op.f("pk_duty_record")),
    )
    _index("duty_record", "wake_ms")
    _index("duty_record", "kind", "first_day")
    _index("duty_record", "site_id", "state", "due_ms")
    _index("duty_record", "district", "state", "due_ms")
    _index("duty_record", "state", "due_ms")
    op.create_table(
        "duty_signature",
        _text("site_id", 64),
        _text("kind", 8),
        _whole("first_day"),
        _ms("signed_ms"),
        _text("username", 64),
        sa.Column("content", sa.Text(), nullable=False),
        _text("sha256", 64),
        sa.PrimaryKeyConstraint("site_id", "kind", "first_day", name=op.f("pk_duty_signature")),
    )
    op.create_table(
        "contact",
        _text("party_id", 64),
        _text("address", 254),
        _text("name", 100),
        sa.Column("told_week", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("party_id", "address", name=op.f("pk_contact")),
    )
    _index("contact", "told_week")
    op.create_table(
        "idle_cylinder",
        _text("cylinder_id", 64),
        _text("owner_id", 64, nullable=True),
        _text("district", 6, nullable=True),
        _text("site_id", 64, nullable=True),
        _whole("seen_day"),
        _text("state", 16),
        _whole("version"),
        _ms("changed_ms"),
        sa.PrimaryKeyConstraint("cylinder_id", name=op.f("pk_idle_cylinder")),
    )
    _index("idle_cylinder", "owner_id", "state", "seen_day")
    _index("idle_cylinder", "district", "state", "seen_day")
    _index("idle_cylinder", "state", "seen_day")
    op.create_table(
        "idle_log",
        _text("cylinder_id", 64),
        _whole("no"),
        _ms("at_ms"),
        _text("who", 64, nullable=True),
        _text("became", 16),
        _text("why", 500),
        sa.PrimaryKeyConstraint("cylinder_id", "no", name=op.f("pk_idle_log")),
    )
    op.create_table(
        "idle_looked",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        _whole("until_day"),
        _ms("changed_ms"),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_idle_looked")),
    )
    # A station's day is asked for its alerts.
    _index("alert", "site_id", "at_ms")


def downgrade() -> None:
    op.drop_index(op.f("ix_alert_site_id_at_ms"), table_name="alert")
    for table in ("idle_looked", "idle_log", "idle_cylinder", "contact", "duty_signature", "duty_record"):
        op.drop_table(table)

"""Cases, their papers and everything that was done in them"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "case_file",
        sa.Column("case_id", serial, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("about_case", sa.BigInteger(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("demands", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=True),
        sa.Column("issued_by", sa.String(length=64), nullable=True),
        sa.Column("is_serious", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_escalated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_due_noted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("appeal", sa.String(length=8), server_default="", nullable=False),
        sa.Column("appeal_due_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_appeal_noted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_how", sa.String(length=8), server_default="", nullable=False),
        sa.Column("wake_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_file")),
    )
    for columns in (
        ["district", "state", "due_ms"],
        ["site_id", "state", "due_ms"],
        ["state", "due_ms"],
        ["wake_ms"],
    ):
        op.create_index(op.f(f"ix_case_file_{'_'.join(columns)}"), "case_file", columns, unique=False)
    op.create_table(
        "case_alert",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        _of_case("case_alert"),
        sa.PrimaryKeyConstraint("case_id", "fingerprint", "episode", name=op.f("pk_case_alert")),
    )
    op.create_index(
        "ix_case_alert_live",
        "case_alert",
        ["fingerprint", "episode"],
        unique=True,
        sqlite_where=sa.text("is_live"),
        postgresql_where=sa.text("is_live"),
    )
    op.create_table(
        "case_log",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("became", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("by_role", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        _of_case("case_log"),
        sa.PrimaryKeyConstraint("case_id", "no", name=op.f("pk_case_log")),
    )
    op.create_table(
        "case_attachment",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _of_case("case_attachment"),
        sa.PrimaryKeyConstraint("case_id", "log_no", "no", name=op.f("pk_case_attachment")),
    )
    op.create_table(
        "case_paper",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        _of_case("case_paper"),
        sa.PrimaryKeyConstraint("case_id", "log_no", name=op.f("pk_case_paper")),
        sa.UniqueConstraint("number", name=op.f("uq_case_paper_number")),
    )
    op.create_table(
        "case_number",
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_case_number")),
    )


def _of_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["case_id"], ["case_file.case_id"], name=op.f(f"fk_{table}_case_id_case_file")
    )


def downgrade() -> None:
    for table in ("case_number", "case_paper", "case_attachment", "case_log", "case_alert", "case_file"):
        op.drop_table(table)

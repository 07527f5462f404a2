"""Who is told of what, when, and by which channel"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_group",
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district", "rule", "site_id", name=op.f("pk_told_group")),
    )
    with op.batch_alter_table("told_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_told_group_rule_day"), ["rule", "day"], unique=False)
    # An open alert of a site holds back others of it.
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alert_site_id_rule_status"), ["site_id", "rule", "status"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_site_id_rule_status"))
    with op.batch_alter_table("told_group", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_told_group_rule_day"))
    op.drop_table("told_group")

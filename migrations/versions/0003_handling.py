"""What people do about an alert: who has it, until when it is put off, what was said"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An alert that comes back is a new episode; when it was found first is kept for ever.
    op.add_column("alert", sa.Column("episode", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alert", sa.Column("first_opened_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("alert_history", sa.Column("episode", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "alert_care",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("assigned_to", sa.String(length=64), nullable=True),
        sa.Column("snoozed_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until_times", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("wake_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "episode", name=op.f("pk_alert_care")),
    )
    with op.batch_alter_table("alert_care", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_care_wake_ms"), ["wake_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_care_opened_ms"), ["opened_ms"], unique=False)

    op.create_table(
        "alert_note",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("did", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("who_name", sa.String(length=100), nullable=False),
        sa.Column("who_role", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=True),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("until_times", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "episode", "number", name=op.f("pk_alert_note")),
    )
    op.create_table(
        "notice_mail",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("group_key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint(
            "fingerprint", "transition_no", "step", "group_key", name=op.f("pk_notice_mail")
        ),
    )


def downgrade() -> None:
    op.drop_table("notice_mail")
    op.drop_table("alert_note")
    with op.batch_alter_table("alert_care", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_care_opened_ms"))
        batch_op.drop_index(batch_op.f("ix_alert_care_wake_ms"))
    op.drop_table("alert_care")
    op.drop_column("alert_history", "episode")
    op.drop_column("alert", "first_opened_ms")
    op.drop_column("alert", "episode")

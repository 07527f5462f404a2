"""The ledger, its projections, and our own work"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_account")),
    )
    op.create_table(
        "alert",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("anchor", sa.String(length=128), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("cylinder_id", sa.String(length=64), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_cylinder_id"), ["cylinder_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_alert_district_status_at_ms"), ["district", "status", "at_ms"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_alert_status_at_ms"), ["status", "at_ms"], unique=False)

    op.create_table(
        "alert_history",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.Column("became", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "transition_no", name=op.f("pk_alert_history")),
    )
    op.create_table(
        "code_link",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.Column("void", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("code", "event_id", name=op.f("pk_code_link")),
    )
    with op.batch_alter_table("code_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_code_link_parent"), ["parent"], unique=False)

    op.create_table(
        "correction",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("corrects", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_corrects"), ["corrects"], unique=False)

    op.create_table(
        "cylinder",
        sa.Column("cylinder_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("wake_ms", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.String(length=64), nullable=True),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("term_day", sa.Integer(), nullable=True),
        sa.Column("seen_day", sa.Integer(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("cylinder_id", name=op.f("pk_cylinder")),
    )
    with op.batch_alter_table("cylinder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cylinder_changed_ms"), ["changed_ms"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_cylinder_owner_id_term_day"), ["owner_id", "term_day"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_cylinder_site_id_term_day"), ["site_id", "term_day"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_cylinder_seen_day"), ["seen_day"], unique=False)
        batch_op.create_index(batch_op.f("ix_cylinder_wake_ms"), ["wake_ms"], unique=False)

    op.create_table(
        "device",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("is_office", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device")),
    )
    op.create_table(
        "device_nonce",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "nonce", name=op.f("pk_device_nonce")),
    )
    with op.batch_alter_table("device_nonce", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_nonce_seen_ms"), ["seen_ms"], unique=False)

    op.create_table(
        "event",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("device_seq", sa.BigInteger(), nullable=True),
        sa.Column("occurred_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_event_id")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_code_occurred_ms"), ["code", "occurred_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_event_kind_occurred_ms"), ["kind", "occurred_ms"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_event_site_id_occurred_ms"), ["site_id", "occurred_ms"], unique=False
        )

    op.create_table(
        "finding",
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "fingerprint", "event_id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_finding_fingerprint_at_ms_event_id"),
            ["fingerprint", "at_ms", "event_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_finding_event_id"), ["event_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_finding_rule_site_id_at_ms"), ["rule", "site_id", "at_ms"], unique=False
        )

    op.create_table(
        "job",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("last_start_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_success_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_result", sa.Text(), nullable=True),
        sa.Column("next_run_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job")),
    )
    op.create_table(
        "job_claim",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("slot_ms", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot_ms", name=op.f("pk_job_claim")),
    )
    op.create_table(
        "leg",
        sa.Column("cylinder_id", sa.String(length=64), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_site", sa.String(length=64), nullable=False),
        sa.Column("to_site", sa.String(length=64), nullable=False),
        sa.Column("departed_ms", sa.BigInteger(), nullable=True),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=True),
        sa.Column("depart_event", sa.String(length=36), nullable=True),
        sa.Column("arrive_event", sa.String(length=36), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("gas_g", sa.Integer(), nullable=True),
        sa.Column("gap", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("decanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("outside", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("cylinder_id", "no", name=op.f("pk_leg")),
    )
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_leg_from_site_arrived_ms"), ["from_site", "arrived_ms"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_leg_to_site_arrived_ms"), ["to_site", "arrived_ms"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_leg_owner_arrived_ms"), ["owner", "arrived_ms"], unique=False)

    op.create_table(
        "notice",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("transition_no", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("level", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_digest", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "transition_no", "step", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_state_due_ms"), ["state", "due_ms"], unique=False)

    op.create_table(
        "outbox",
        sa.Column(
            "mail_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("group_key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_answer", sa.String(length=500), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("group_key", "recipient", name=op.f("uq_outbox_group_key_recipient")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_state_next_try_ms"), ["state", "next_try_ms"], unique=False
        )

    op.create_table(
        "party",
        sa.Column("record", sa.String(length=10), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.String(length=10), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record", "id", "valid_from", name=op.f("pk_party")),
    )
    op.create_table(
        "pending",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_pending")),
    )
    with op.batch_alter_table("pending", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_received_ms"), ["received_ms"], unique=False)

    op.create_table(
        "recipient",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("rules", sa.Text(), server_default="", nullable=False),
        sa.Column("severities", sa.String(length=5), server_default="", nullable=False),
        sa.Column("hours", sa.String(length=8), server_default="any", nullable=False),
        sa.Column("level", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("address", "district", name=op.f("pk_recipient")),
    )
    op.create_table(
        "reference_version",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_reference_version")),
    )
    op.create_table(
        "rejudge",
        sa.Column("cylinder_id", sa.String(length=64), nullable=False),
        sa.Column("because", sa.String(length=36), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("cylinder_id", name=op.f("pk_rejudge")),
    )
    op.create_table(
        "touched_site",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_touched_site")),
    )


def downgrade() -> None:
    op.drop_table("touched_site")
    op.drop_table("rejudge")
    op.drop_table("reference_version")
    op.drop_table("recipient")
    with op.batch_alter_table("pending", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pending_received_ms"))
        batch_op.drop_index(batch_op.f("ix_pending_code"))

    op.drop_table("pending")
    op.drop_table("party")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_state_next_try_ms"))

    op.drop_table("outbox")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_state_due_ms"))

    op.drop_table("notice")
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leg_owner_arrived_ms"))
        batch_op.drop_index(batch_op.f("ix_leg_to_site_arrived_ms"))
        batch_op.drop_index(batch_op.f("ix_leg_from_site_arrived_ms"))

    op.drop_table("leg")
    op.drop_table("job_claim")
    op.drop_table("job")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_event_id"))
        batch_op.drop_index(batch_op.f("ix_finding_fingerprint_at_ms_event_id"))

    op.drop_table("finding")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_site_id_occurred_ms"))
        batch_op.drop_index(batch_op.f("ix_event_kind_occurred_ms"))
        batch_op.drop_index(batch_op.f("ix_event_code_occurred_ms"))

    op.drop_table("event")
    with op.batch_alter_table("device_nonce", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_nonce_seen_ms"))

    op.drop_table("device_nonce")
    op.drop_table("device")
    with op.batch_alter_table("cylinder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cylinder_wake_ms"))
        batch_op.drop_index(batch_op.f("ix_cylinder_seen_day"))
        batch_op.drop_index(batch_op.f("ix_cylinder_site_id_term_day"))
        batch_op.drop_index(batch_op.f("ix_cylinder_owner_id_term_day"))

    op.drop_table("cylinder")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_corrects"))

    op.drop_table("correction")
    with op.batch_alter_table("code_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_code_link_parent"))

    op.drop_table("code_link")
    op.drop_table("alert_history")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_status_at_ms"))
        batch_op.drop_index(batch_op.f("ix_alert_district_status_at_ms"))
        batch_op.drop_index(batch_op.f("ix_alert_cylinder_id"))

    op.drop_table("alert")
    op.drop_table("account")

"""The database itself refuses to change or remove what was recorded"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LEDGER = {
    "event": "event_id = NEW.event_id OR seq = NEW.seq",
    "alert_history": "fingerprint = NEW.fingerprint AND transition_no = NEW.transition_no",
    "alert_note": "fingerprint = NEW.fingerprint AND episode = NEW.episode AND number = NEW.number",
    "case_log": "case_id = NEW.case_id AND no = NEW.no",
    "case_attachment": "case_id = NEW.case_id AND log_no = NEW.log_no AND no = NEW.no",
    "case_paper": "number = NEW.number OR case_id = NEW.case_id AND log_no = NEW.log_no",
    "duty_signature": "site_id = NEW.site_id AND kind = NEW.kind AND first_day = NEW.first_day",
    "idle_log": "cylinder_id = NEW.cylinder_id AND no = NEW.no",
    "draw_plan": "plan_id = NEW.plan_id",
    "draw": "plan_id = NEW.plan_id",
    "site_visit": "visit_id = NEW.visit_id",
}
"""The tables, and when a row that is to be inserted would take the place of one that is there."""
_NAMED = ", ".join(f"'{table}'" for table in _LEDGER)
_ROLE = "cylinder_trace_app"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table, same in _LEDGER.items():
            refuse = f"SELECT RAISE(ABORT, '{table} is append-only: record a correction as a new event'); END"
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} BEGIN {refuse}"
                )
            # INSERT OR REPLACE removes a row without asking the trigger above, unless the client wants it to.
            op.execute(
                f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table}"
                f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN {refuse}"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only: record a correction as a new event', TG_TABLE_NAME"
        " USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    for table in _LEDGER:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # The tables belong to the role that migrates. The server works as a member of another role, which may not
    # switch triggers off. Where the migrating role may not create roles, an administrator makes it beforehand.
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{_ROLE}')"
        f" AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)"
        f" THEN CREATE ROLE {_ROLE} NOLOGIN; END IF;"
        f" EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    its = ", ".join(f"'{table}'" for table in _LEDGER)
    op.execute(
        f"DO $$ DECLARE name text; BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{_ROLE}') THEN"
        f" FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP"
        f"  IF name IN ({its}) THEN EXECUTE format('GRANT SELECT, INSERT ON %I TO {_ROLE}', name);"
        f"  ELSE EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {_ROLE}', name); END IF;"
        f" END LOOP;"
        f" EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA ' || quote_ident(current_schema()) || ' TO {_ROLE}';"
        f" END IF; END $$"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _LEDGER:
            for verb in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER {table}_refuses_{verb}")
        return
    for table in _LEDGER:
        op.execute(f"DROP TRIGGER {table}_refuses_change ON {table}")
    op.execute("DROP FUNCTION refuse_change")

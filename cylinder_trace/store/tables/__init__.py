"""The tables. `event` is the ledger, append-only by the database itself; all else can be rebuilt or is our own work."""

from cylinder_trace.store.tables.alerting import alert, alert_history, finding, notice, outbox, recipient
from cylinder_trace.store.tables.cases import (
    case_alert,
    case_attachment,
    case_file,
    case_log,
    case_number,
    case_paper,
)
from cylinder_trace.store.tables.draws import draw, draw_plan, site_visit, trial
from cylinder_trace.store.tables.duties import (
    contact,
    duty_record,
    duty_signature,
    idle_cylinder,
    idle_log,
    idle_looked,
)
from cylinder_trace.store.tables.handling import alert_care, alert_note, notice_mail
from cylinder_trace.store.tables.naming import metadata
from cylinder_trace.store.tables.people import account, device, device_nonce, party, reference_version
from cylinder_trace.store.tables.record import code_link, correction, event, pending, rejudge
from cylinder_trace.store.tables.routing import told_group
from cylinder_trace.store.tables.stories import (
    cylinder,
    device_heard,
    flow,
    leg,
    site_day,
    touched_city_day,
    touched_day,
    touched_site,
)
from cylinder_trace.store.tables.timetable import job, job_claim
from cylinder_trace.store.tables.watching import snapshot_fetch

__all__ = [
    "account",
    "alert",
    "alert_care",
    "alert_history",
    "alert_note",
    "case_alert",
    "case_attachment",
    "case_file",
    "case_log",
    "case_number",
    "case_paper",
    "code_link",
    "contact",
    "correction",
    "cylinder",
    "device",
    "device_heard",
    "device_nonce",
    "draw",
    "draw_plan",
    "duty_record",
    "duty_signature",
    "event",
    "finding",
    "flow",
    "idle_cylinder",
    "idle_log",
    "idle_looked",
    "job",
    "job_claim",
    "leg",
    "metadata",
    "notice",
    "notice_mail",
    "outbox",
    "party",
    "pending",
    "recipient",
    "reference_version",
    "rejudge",
    "site_day",
    "site_visit",
    "snapshot_fetch",
    "told_group",
    "touched_city_day",
    "touched_day",
    "touched_site",
    "trial",
]

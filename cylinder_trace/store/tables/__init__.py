"""The tables. `event` is the ledger, append-only by the database itself; all else can be rebuilt or is our own work."""

from cylinder_trace.store.tables.alerting import alert, alert_history, finding, notice, outbox, recipient
from cylinder_trace.store.tables.duties import (
    contact,
    duty_record,
    duty_signature,
    idle_cylinder,
    idle_log,
    idle_looked,
)
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

__all__ = [
    "account",
    "alert",
    "alert_history",
    "code_link",
    "correction",
    "cylinder",
    "device",
    "device_heard",
    "contact",
    "device_nonce",
    "event",
    "finding",
    "flow",
    "job",
    "duty_record",
    "duty_signature",
    "job_claim",
    "leg",
    "metadata",
    "notice",
    "outbox",
    "idle_cylinder",
    "idle_log",
    "idle_looked",
    "party",
    "pending",
    "recipient",
    "reference_version",
    "rejudge",
    "site_day",
    "told_group",
    "touched_city_day",
    "touched_day",
    "touched_site",
]

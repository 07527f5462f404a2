"""What new events and sweeps ask of the database is found through an index, so that its cost does not grow with the ledger."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from cylinder_trace import following, intake, sweep, watching
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.law.tables import load
from cylinder_trace.mail.heartbeat import HeartbeatLetters
from cylinder_trace.settings import Settings
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache

GROWING = (
    "event|leg|finding|alert|alert_history|alert_care|alert_note|notice_mail|cylinder|site_day|flow|correction|code_link|notice"
    "|device_heard|outbox"
)
_WHOLE = re.compile(rf"^SCAN ({GROWING})\b")


def test_neither_a_new_event_nor_a_sweep_goes_through_a_whole_table(sqlite_url: str) -> None:
    city = simulate(Plan(seed=5, cylinders=150, days=45, end=datetime(2026, 11, 1, tzinfo=UTC)))
    database = open_database(sqlite_url, is_scratch=True)
    cache = ReferenceCache(load())
    letters = HeartbeatLetters(Settings())
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        asked.setdefault(re.sub(r"\?(, \?)+", "?*", statement), (statement, values[0] if many else values))

    with database.writing() as connection:
        parties.put_records(connection, list(city.records))
    event.listen(database.engine, "before_cursor_execute", note)
    events = [one.event for one in city.arrivals]
    for start in range(0, len(events), LARGEST_BATCH):
        received_at = city.arrivals[min(start + LARGEST_BATCH, len(events)) - 1].received_at
        intake.record(database, events[start : start + LARGEST_BATCH], received_at, None)
        intake.judge(database, cache, epoch_ms(received_at), limit=200)
        sweep.run(database, cache, epoch_ms(received_at) + HOUR_MS)
        following.run(database, cache, epoch_ms(received_at) + HOUR_MS)
        watching.run(database, cache, letters, epoch_ms(received_at) + HOUR_MS)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) > 50
    assert [plan for plan, _ in _gone_through(database, asked)] == []
    database.close()


def _gone_through(database: Database, asked: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    with database.reading() as connection:
        for statement, values in asked.values():
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found += [(row[3], statement) for row in plan if _WHOLE.match(row[3])]
    return found

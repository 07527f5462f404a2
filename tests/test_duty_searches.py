"""What the duties ask of the database is found through an index: by the walk and by the pages, for every scope."""

import re
from datetime import date
from typing import Any

from sqlalchemy import event

from cylinder_trace import duty_records
from cylinder_trace.judging.scan import local_day
from cylinder_trace.mail.duty_letter import DutyLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import contacts, due_lists, duties, idle
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import open_database
from cylinder_trace.store.people import Person
from tests.world import MINHANG, OWNER, STATION, World, code, ms, registered, well_filled

GROWING = (
    "event|alert|finding|cylinder|site_day|touched_day|duty_record|duty_signature|idle_cylinder|idle_log"
)
WHOLE = re.compile(rf"^SCAN ({GROWING})\b")
OF_THE_CITY = re.compile(r"^SCAN idle_cylinder USING COVERING INDEX")
"""The city's numbers by state of settlement are counted from an index."""


def test_neither_the_walk_nor_a_page_goes_through_a_whole_table(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    world = World(database)
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        asked.setdefault(statement, (statement, values[0] if many else values))

    with database.writing() as connection:
        for party in (STATION, OWNER):
            contacts.put(connection, party, f"{party}@example.cn", "")
    idle_ones = [registered(code(number), -400 * 24) for number in (2, 3)]
    world.post([registered(code(1), valid_until="2026-05-20"), *well_filled(code(1), 1), *idle_ones], ms(2))
    for hours in (2, 23):
        world.sweep(hours)
    event.listen(database.engine, "before_cursor_execute", note)
    letters = DutyLetters(Settings())
    for hours in (2, 23, 50, 150):
        duty_records.run(database, world.cache, letters, ms(hours))
    day, manager = local_day(ms(0)), Person("m", "m", "manager", Scope("station", STATION))
    with database.writing() as connection:
        reference = world.cache.read(connection)
        for scope in (Scope("city"), Scope("district", MINHANG), Scope("station", STATION)):
            for state in ("open", "signed"):
                duties.listed(connection, scope, state, 50, 50)
                duties.listed(connection, scope, state, 50, 0, STATION, ms(100))
            duties.lacking(connection, scope, ms(100))
            duties.one(connection, scope, STATION, "day", day)
            idle.listed(connection, scope, reference, "to_check", 50)
            idle.counts(connection, scope, reference)
            list(idle.all_of(connection, scope, reference, "to_check", 50))
        for kind, first_day in (("day", day), ("month", date(2026, 4, 1).toordinal())):
            duties.drafted(connection, STATION, kind, first_day, reference)
            duties.is_judged(connection, STATION, kind, first_day)
        for its in due_lists.parties_within(reference, Scope("city")):
            for is_over in (False, True):
                due_lists.cylinders(connection, its, reference, ms(1), 50, 50, is_over=is_over)
                list(due_lists.all_cylinders(connection, its, reference, ms(1), 50, is_over=is_over))
        idle.settle(connection, manager, reference, {code(2): 0}, "lost", "x", ms(1))
        idle.log_of(connection, code(2))
    event.remove(database.engine, "before_cursor_execute", note)
    found = []
    with database.reading() as connection:
        for statement, values in asked.values():
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found += [(row[3], statement) for row in plan if WHOLE.match(row[3])]
    assert len(asked) > 40
    assert [(plan, statement) for plan, statement in found if not OF_THE_CITY.match(plan)] == []
    database.close()

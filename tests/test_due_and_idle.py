"""What runs out at a station or of a firm, and cylinders that nobody has seen for a year."""

from dataclasses import replace
from datetime import date
from email import message_from_bytes
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import select

from cylinder_trace import duty_records
from cylinder_trace.store import contacts, due_lists, idle
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import Database
from cylinder_trace.store.due_lists import Party
from cylinder_trace.store.idle import NotSettled
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import idle_log, outbox
from tests.duty_walk import MANAGER, OFFICER, mails, walk, with_addresses
from tests.world import (
    CUSTOMERS,
    OTHER_STATION,
    OWNER,
    SONGJIANG,
    STATION,
    World,
    code,
    licensed,
    made,
    moved,
    ms,
    registered,
)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def reached(world: World) -> World:
    return with_addresses(world)


# --- what runs out --------------------------------------------------------------------------------------------


def due_codes(world: World, party: Party, hours: float, *, is_over: bool = False) -> list[str]:
    with world.database.reading() as connection:
        reference = world.cache.read(connection)
        _, rows = due_lists.cylinders(connection, party, reference, ms(hours), 50, is_over=is_over)
    return [row.cylinder_id for row in rows]


def test_a_due_list_looks_thirty_days_ahead_and_keeps_what_is_over_apart(world: World) -> None:
    terms = ["2026-06-03", "2026-06-04", "2026-05-04", "2026-05-03"]
    world.post([registered(code(number), valid_until=until) for number, until in enumerate(terms)])
    world.sweep(1)
    firm = Party(OWNER, True)
    assert due_codes(world, firm, 1) == [code(2), code(0)]
    assert due_codes(world, firm, 1, is_over=True) == [code(3)]


def test_a_sites_list_has_what_stands_there_and_nothing_that_is_out_of_use(world: World) -> None:
    here = [made("observe", 1, cylinder_code=code(number)) for number in range(3)]
    scrapped = made("scrap", 2, cylinder_code=code(1), method="压扁", person="p-1")
    away = moved("deliver", code(2), 2, STATION, CUSTOMERS[0])
    rows = [registered(code(number), valid_until="2026-05-20") for number in range(3)]
    world.post([*rows, *here, scrapped, away])
    world.sweep(3)
    assert due_codes(world, Party(STATION, False), 3) == [code(0)]
    assert due_codes(world, Party(OWNER, True), 3) == [code(0), code(2)]


def test_a_life_that_ends_before_the_inspection_does_is_what_runs_out(world: World) -> None:
    world.post([registered(code(1), manufactured="2018-05-10", valid_until="2028-01-31")])
    world.sweep(1)
    with world.database.reading() as connection:
        reference = world.cache.read(connection)
        _, (one,) = due_lists.cylinders(connection, Party(OWNER, True), reference, ms(1), 5)
    assert one.is_life
    assert one.term_day == date(2026, 5, 31).toordinal()


def test_licences_and_certificates_that_run_out_are_on_the_list(database: Database) -> None:
    world = World(database, licences=False)
    world.post([licensed(STATION, valid_until="2026-05-20"), licensed(OTHER_STATION)])
    world.judge(1)
    with world.database.reading() as connection:
        reference = world.cache.read(connection)
    for party in (Party(STATION, False), Party(OWNER, True)):
        assert [(one.kind, one.until) for one in due_lists.papers(party, reference, ms(1))] == [
            ("filling_licence", "2026-05-20")
        ]
    assert not due_lists.papers(Party(OTHER_STATION, False), reference, ms(1))


def test_a_due_list_is_mailed_once_a_week_with_the_whole_list_and_no_customers_name(reached: World) -> None:
    away = moved("deliver", code(1), 1, STATION, CUSTOMERS[0])
    reached.post([registered(code(1), valid_until="2026-05-20"), away])
    with reached.database.writing() as connection:
        contacts.put(connection, OWNER, "firm@example.cn", "")
        contacts.put(connection, OTHER_STATION, "nothing-due@example.cn", "")
    for hours in (2, 3, 40):
        walk(reached, hours)
    lists = [one for one in mails(reached) if "到期清单" in one[1]]
    assert [(address, subject) for address, subject, _ in lists] == [
        ("firm@example.cn", "第一燃气到期清单：30 天内 1 只，已过期 0 只，证照 0 份")
    ]
    with reached.database.reading() as connection:
        body = connection.scalar(select(outbox.c.body).where(outbox.c.recipient == "firm@example.cn"))
    assert body
    (book,) = (part for part in message_from_bytes(body).walk() if part.get_filename() == "due-list.xlsx")
    sheet = openpyxl.load_workbook(BytesIO(book.get_payload(decode=True)))["即将到期 Due soon"]  # type: ignore[arg-type]
    (row,) = list(sheet.values)[1:]
    assert (row[0], row[2], row[8]) == (code(1), "检验到期", "用户处")
    assert CUSTOMERS[0] not in str(list(sheet.values))
    walk(reached, 7 * 24 + 2)
    assert len([one for one in mails(reached) if "到期清单" in one[1]]) == 2


# --- nobody saw it for a year ---------------------------------------------------------------------------------


def idle_ones(world: World, state: str = "to_check", scope: Scope | None = None) -> dict[str, int]:
    """Idle cylinders by code, with their version."""
    with world.database.reading() as connection:
        reference = world.cache.read(connection)
        _, rows = idle.listed(connection, scope or Scope("city"), reference, state, 50)
    return {row["cylinder_id"]: row["version"] for row in rows}


def settle(
    world: World, chosen: dict[str, int], state: str, person: Person = OFFICER, why: str = "现场核查"
) -> None:
    with world.database.writing() as connection:
        idle.settle(connection, person, world.cache.read(connection), chosen, state, why, ms(1))


@pytest.fixture
def idle_world(world: World) -> World:
    """Cylinder 1 was last seen 366 days before, cylinder 2 364 days, and cylinder 3 was registered long ago only."""
    seen = [
        made("observe", hours * 24, cylinder_code=code(number)) for number, hours in ((1, -366), (2, -364))
    ]
    old = [registered(code(number), -400 * 24) for number in (1, 2, 3)]
    scrapped = [
        registered(code(4), -400 * 24),
        made("scrap", -399 * 24, cylinder_code=code(4), method="压扁", person="p"),
    ]
    world.post([*old, *seen, *scrapped])
    walk(world, 1)
    return world


def test_who_was_not_seen_for_a_year_is_listed_and_what_was_scrapped_is_not(idle_world: World) -> None:
    assert set(idle_ones(idle_world)) == {code(1), code(3)}
    walk(idle_world, 3 * 24)
    assert set(idle_ones(idle_world)) == {code(1), code(2), code(3)}


def test_a_settled_cylinder_drops_out_when_it_is_seen_again_and_the_log_keeps_it(idle_world: World) -> None:
    settle(idle_world, {code(1): 0}, "lost")
    assert set(idle_ones(idle_world, "lost")) == {code(1)}
    idle_world.post([made("observe", 2, cylinder_code=code(1))], ms(2))
    walk(idle_world, 3)
    assert not idle_ones(idle_world, "lost")
    with idle_world.database.reading() as connection:
        log = [(one["became"], one["who"], one["why"]) for one in idle.log_of(connection, code(1))]
    assert log == [("listed", None, ""), ("lost", "o-1", "现场核查"), ("seen_again", None, "")]


def test_what_comes_late_of_long_ago_is_listed_too(idle_world: World) -> None:
    idle_world.post([registered(code(9), -500 * 24)], ms(2))
    walk(idle_world, 3)
    assert code(9) in idle_ones(idle_world)


def test_of_two_people_who_settle_one_cylinder_the_second_is_told(idle_world: World) -> None:
    settle(idle_world, {code(1): 0}, "lost")
    with pytest.raises(NotSettled, match="quicker"):
        settle(idle_world, {code(1): 0, code(3): 0}, "found_in_use")
    assert set(idle_ones(idle_world)) == {code(3)}


@pytest.mark.parametrize(
    ("person", "why", "word"),
    [
        (replace(OFFICER, scope=Scope("district", SONGJIANG)), "x", "quicker"),
        (replace(MANAGER, scope=Scope("station", OTHER_STATION)), "x", "quicker"),
        (replace(MANAGER, role="operator"), "x", "not_yours"),
        (OFFICER, "  ", "no_reason"),
    ],
)
def test_nobody_settles_what_is_not_theirs_or_without_a_reason(
    idle_world: World, person: Person, why: str, word: str
) -> None:
    with pytest.raises(NotSettled, match=word):
        settle(idle_world, {code(1): 0}, "lost", person, why)
    assert code(1) in idle_ones(idle_world)


def test_a_station_settles_its_own_firms_cylinders(idle_world: World) -> None:
    assert code(1) in idle_ones(idle_world, scope=MANAGER.scope)
    assert not idle_ones(idle_world, scope=Scope("station", OTHER_STATION))
    settle(idle_world, {code(1): 0}, "stored", MANAGER)
    with idle_world.database.reading() as connection:
        assert connection.scalar(select(idle_log.c.who).where(idle_log.c.became == "stored")) == "m-1"


def test_many_idle_cylinders_are_listed_piece_by_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty_records, "IDLE_AT_ONCE", 3)
    world.post([registered(code(number), (-380 - number // 2) * 24) for number in range(20)])
    world.sweep(1)
    # Hours later, so that none of them counts as judged since the list was brought up.
    assert walk(world, 5)["idle"] == 20
    assert len(idle_ones(world)) == 20
    assert walk(world, 6)["idle"] == 0

"""An alert that several findings show says what the earliest of them says, in whatever order their events came."""

from typing import Any

import pytest
from sqlalchemy import select

from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert
from tests.world import World, code, corrected, made, ms, registered


def replaced(number: int, hours: float) -> dict[str, Any]:
    """The cylinder's tag of that number gives way to the next."""
    return made("tag_replace", hours, cylinder_code=code(number), new_code=code(number + 1))


@pytest.mark.parametrize("at_once", [True, False])
def test_it_names_the_earliest_also_where_that_rests_on_another_event_now(
    database: Database, at_once: bool
) -> None:
    world = World(database)
    first, wrong, third = (replaced(number, 24 * number) for number in (1, 2, 3))
    life = [registered(code(1)), first, wrong, third, replaced(4, 24 * 4), replaced(5, 24 * 5)]
    right = replaced(2, 24 * 2)
    late = [corrected(wrong, 24 * 6), right]
    for batch in [[*life, *late]] if at_once else [*([one] for one in life), late]:
        world.post(batch)
        world.judge(24 * 7)
    with database.reading() as connection:
        said = connection.execute(select(alert).where(alert.c.rule == "retag_repeat")).one()
    ids = [one["event_id"] for one in (third, right, first)]
    assert (said.at_ms, said.anchor) == (ms(24 * 3), first["event_id"])
    assert all(one in said.body for one in ids)
    assert '"times": 3' in said.body

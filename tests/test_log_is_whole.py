"""Whatever happens in whatever order, the log of an alert is whole, and how it stands is what the log says."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cylinder_trace.judging.handling import care as caring
from cylinder_trace.judging.handling.care import Act
from cylinder_trace.judging.handling.escalation import wake_ms
from cylinder_trace.store import alerts, handling
from cylinder_trace.store.database import open_database
from cylinder_trace.store.handling import Looked, MayNot, NoSuchAlert, NotNow, Quicker
from cylinder_trace.store.tables import alert, alert_care, alert_history
from tests.handling import PEOPLE, Office
from tests.world import LAW, STATION, World, code, corrected, filled, licensed, ms, registered

Happening = tuple[str, Any]
_STATUS = {"opened": "open", "reopened": "open"}


@pytest.fixture(scope="module")
def opened(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    @contextmanager
    def opening() -> Iterator[Office]:
        path = tmp_path_factory.mktemp("whole") / "whole.sqlite3"
        path.write_bytes(sqlite_template.read_bytes())
        with closing(open_database(f"sqlite:///{path}", is_scratch=True)) as database:
            world = World(database, licences=False)
            office = Office(world, "unlicensed_site")
            world.post([registered(code(number)) for number in (1, 2, 3)])
            world.post([filled(code(1), 0.5)])
            world.judge(1)
            yield office

    return opening


acts = st.tuples(
    st.just("act"),
    st.fixed_dictionaries(
        {
            "did": st.sampled_from(get_args(Act)),
            "person": st.sampled_from(PEOPLE),
            "why": st.sampled_from(["", "已核实", "<b>'"]),
            "verdict": st.sampled_from([None, *caring.VERDICTS]),
            "assignee": st.sampled_from([None, "minhang", "city", "manager"]),
            "until_h": st.sampled_from([None, 1, 30, 400]),
            "more_times": st.sampled_from([None, 1, 2]),
            "behind": st.sampled_from([0, 0, 0, 0, 1]),
        }
    ),
)
happenings = st.one_of(
    acts,
    acts,
    st.tuples(st.just("fill"), st.integers(1, 3)),
    st.tuples(st.just("correct"), st.integers(0, 5)),
    st.tuples(st.just("licence"), st.none()),
    st.tuples(st.just("later"), st.sampled_from([1, 20, 60, 300])),
    st.tuples(st.just("follow"), st.none()),
    st.tuples(st.just("sweep"), st.none()),
)


class _Course:
    """Lets things happen one after the other; `statements` are events that a correction may take back."""

    def __init__(self, office: Office) -> None:
        self.office, self.world, self.hours = office, office.world, 2.0
        self.statements: list[dict[str, Any]] = []

    def happen(self, what: str, how: Any) -> None:
        self.hours += 0.1
        if what == "act":
            self._act(**how)
        elif what == "fill":
            self._post(filled(code(how), self.hours))
        elif what == "licence":
            self._post(licensed(STATION))
        elif what == "correct" and self.statements:
            self._post(corrected(self.statements[how % len(self.statements)], self.hours))
        elif what == "later":
            self.hours += how
        elif what == "follow":
            self.office.follow(self.hours)
        elif what == "sweep":
            self.world.sweep(self.hours)

    def _post(self, event: dict[str, Any]) -> None:
        self.statements.append(event)
        self.world.post([event])
        self.world.judge(self.hours)

    def _act(self, behind: int, until_h: int | None, **wish: Any) -> None:
        seen = self.office.seen()
        until_ms = None if until_h is None else ms(self.hours + until_h)
        try:
            self.office.act(
                wish.pop("did"),
                hours=self.hours,
                seen=Looked(seen.episode, seen.version - behind),
                until_ms=until_ms,
                **wish,
            )
        except (MayNot, NoSuchAlert, NotNow, Quicker):
            return
        assert not behind


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(course=st.lists(happenings, min_size=1, max_size=25))
def test_the_log_is_whole_and_how_an_alert_stands_is_what_it_says(
    opened: Callable[..., Any], course: list[Happening]
) -> None:
    with opened() as office:
        its, first, logged = _Course(office), office.row()["first_opened_ms"], office.log()
        for what, how in course:
            its.happen(what, how)
            log = office.log()
            assert log[: len(logged)] == logged  # only added to
            logged = log
            _stands_as_its_log_says(office, first)


def _stands_as_its_log_says(office: Office, first_opened_ms: int) -> None:
    with office.world.database.reading() as connection:
        assert list(alerts.at_odds(connection)) == []
        row = connection.execute(select(alert).where(alert.c.rule == office.rule)).mappings().one()
        its = row["fingerprint"]
        history = connection.execute(
            select(alert_history.c.became, alert_history.c.episode)
            .where(alert_history.c.fingerprint == its)
            .order_by(alert_history.c.transition_no)
        ).all()
        cared = connection.execute(select(alert_care).where(alert_care.c.fingerprint == its)).mappings().all()
        log = handling.log(connection, its)
    assert row["first_opened_ms"] == first_opened_ms
    assert len(history) == row["transition_no"] + 1
    assert tuple(history[-1]) == (history[-1].became, row["episode"])
    assert _STATUS.get(history[-1].became, history[-1].became) == row["status"]
    assert [one.episode for one in history if one.became == "opened"] == list(range(1, row["episode"] + 1))
    assert len(cared) == row["episode"]
    for one in cared:
        notes = handling.notes_of([entry for entry in log if entry["episode"] == one["episode"]])
        assert [note.number for note in notes] == list(range(1, len(notes) + 1))
        care = caring.told_by(notes, one["opened_ms"])
        assert {name: one[name] for name in handling.CARE} == {
            name: getattr(care, name) for name in handling.CARE
        }
        is_open = one["episode"] == row["episode"] and row["status"] == "open"
        assert one["wake_ms"] == (wake_ms(care, LAW) if is_open else None)

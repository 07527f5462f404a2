"""The worker as a real process: it keeps its timetable, one leads, another takes over, and it outlives its database."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, select, text

from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store import ledger, recipients, work
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.tables import job_claim, outbox
from cylinder_trace.web.server import clock_ms
from cylinder_trace.worker import _Slots
from tests.databases import PostgresServer
from tests.postbox import TEAM, Inbox, receiving
from tests.processes import Process, until
from tests.world import MINHANG, MONDAY_MS, World, code, filled, registered

FAIL_OVER_S = 5.0


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving() as inbox:
        yield inbox


@pytest.fixture
def world(database: Database) -> World:
    with database.writing() as connection:
        recipients.put(connection, Recipient(TEAM, MINHANG, "闵行执法队"))
    return World(database)


JOBS = {"sweep", "delivery", "following", "watching"}


def worker(folder: Path, database: Database, smtp_port: int, name: str = "worker") -> Process:
    return Process(
        folder / f"{name}.log",
        "cylinder_trace",
        "worker",
        database_url=database.engine.url.render_as_string(hide_password=False),
        smtp_port=smtp_port,
        smtp_timeout_s=30,
        mail_from="trace@example.org",
        sweep_every_s=1,
        delivery_every_s=1,
    )


def overdue_fills(*numbers: int) -> list[dict[str, Any]]:
    registrations = [registered(code(number), valid_until="2026-01-31") for number in numbers]
    return registrations + [filled(code(number), 1) for number in numbers]


def judged_an_hour_ago(world: World) -> None:
    """What is found now has been due for a while: the worker's clock is the real one."""
    world.sweep((clock_ms() - MONDAY_MS) / HOUR_MS - 1)


def pending(database: Database) -> int:
    with database.reading() as connection:
        return ledger.counts(connection)["pending"]


def jobs(database: Database) -> dict[str, dict[str, Any]]:
    with database.reading() as connection:
        return {row["job"]: row for row in work.jobs(connection)}


def succeeded_after(database: Database, after_ms: int, *names: str) -> bool:
    found = jobs(database)
    return all(
        name in found and (found[name]["last_success_ms"] or 0) > after_ms
        for name in names or ("sweep", "delivery")
    )


def mail_states(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(outbox.c.state).order_by(outbox.c.mail_id)))


def claimed_by(database: Database, after_ms: int = 0) -> set[int]:
    """Process ids of the workers that claimed slots."""
    with database.reading() as connection:
        rows = connection.scalars(select(job_claim.c.worker).where(job_claim.c.slot_ms > after_ms))
        return {int(name.rpartition(":")[2]) for name in rows}


def test_it_judges_delivers_and_notes_its_timetable_until_it_is_asked_to_end(
    world: World, inbox: Inbox, tmp_path: Path
) -> None:
    world.post(overdue_fills(1))
    judged_an_hour_ago(world)
    world.post(overdue_fills(2))
    before_ms = clock_ms()
    with worker(tmp_path, world.database, inbox.port) as process:
        until(lambda: not pending(world.database), "the sweep", process)
        until(lambda: mail_states(world.database) == ["sent"], "the mail", process)
        until(lambda: succeeded_after(world.database, before_ms), "both jobs", process)
        until(lambda: jobs(world.database).keys() >= JOBS, "every job", process)
        assert process.asked_to_end() == 0
    assert ("fill_overdue", code(2)) in world.alerts()
    assert [address for address, _ in inbox.taken] == [TEAM]
    for row in (jobs(world.database)[name] for name in ("sweep", "delivery")):
        assert row["last_error"] is None
        assert row["last_success_ms"] >= row["last_start_ms"] >= before_ms
        # The next run is at the first boundary of a slot that was still to come.
        assert row["next_run_ms"] % 1000 == 0
        assert row["next_run_ms"] > row["last_success_ms"]
    assert "ended" in process.said()


def test_the_first_run_does_not_wait_for_an_interval(world: World, tmp_path: Path, inbox: Inbox) -> None:
    world.post(overdue_fills(1))
    with Process(
        tmp_path / "worker.log",
        "cylinder_trace",
        "worker",
        database_url=world.database.engine.url.render_as_string(hide_password=False),
        sweep_every_s=86_400,
        delivery_every_s=86_400,
        smtp_port=inbox.port,
    ) as process:
        until(lambda: not pending(world.database), "the first sweep", process)
        until(lambda: succeeded_after(world.database, 0), "both jobs", process)
    for row in (jobs(world.database)[name] for name in ("sweep", "delivery")):
        assert row["next_run_ms"] % 86_400_000 == 0
        assert row["next_run_ms"] > row["last_start_ms"]


def test_another_stands_by_and_takes_over_when_the_leader_is_killed(
    world: World, inbox: Inbox, tmp_path: Path
) -> None:
    database = world.database
    with worker(tmp_path, database, inbox.port, "first") as first:
        first.wait_to_say(f":{first.pid} leads")
        with worker(tmp_path, database, inbox.port, "second") as second:
            second.wait_to_say(f":{second.pid} stands by, another worker leads")
            seen_ms = clock_ms()
            until(lambda: succeeded_after(database, seen_ms + 2000), "two more slots", first, second)
            assert claimed_by(database) == {first.pid}
            first.kill()
            killed_ms, killed_s = clock_ms(), time.monotonic()
            second.wait_to_say(f":{second.pid} leads")
            assert time.monotonic() - killed_s < FAIL_OVER_S
            world.post(overdue_fills(1))
            until(lambda: not pending(database), "the sweep", second)
            until(lambda: succeeded_after(database, killed_ms), "both jobs", second)
            assert claimed_by(database, killed_ms) == {second.pid}
            assert second.asked_to_end() == 0


def renamed(database: Database, table: str, name: str) -> None:
    with database.writing() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_a_job_that_fails_is_noted_and_goes_on_at_the_next_slot(
    world: World, inbox: Inbox, tmp_path: Path
) -> None:
    database = world.database
    world.post(overdue_fills(1))
    judged_an_hour_ago(world)
    # Not one bad piece, which would be put off: the list of work itself is gone.
    world.post([filled(code(1), 2)])
    renamed(database, "pending", "pending_away")
    with worker(tmp_path, database, inbox.port) as process:
        until(lambda: (jobs(database).get("sweep") or {}).get("last_error"), "the failure", process)
        # The other job does not suffer from it.
        until(lambda: mail_states(database) == ["sent"], "the mail", process)
        assert jobs(database)["delivery"]["last_error"] is None
        failed = jobs(database)["sweep"]
        assert failed["last_success_ms"] is None
        assert failed["next_run_ms"] > failed["last_start_ms"]
        renamed(database, "pending_away", "pending")
        until(lambda: not pending(database), "the sweep", process)
        until(lambda: jobs(database)["sweep"]["last_error"] is None, "success", process)
        assert jobs(database)["sweep"]["last_success_ms"] is not None


def test_it_outlives_its_database(
    running_postgres: PostgresServer, postgres_url: str, inbox: Inbox, tmp_path: Path
) -> None:
    database = open_database(postgres_url)
    world = World(database)
    with worker(tmp_path, database, inbox.port) as process:
        process.wait_to_say(f":{process.pid} leads")
        with away(running_postgres, database):
            process.wait_to_say(f":{process.pid} stands by, the database is away")
        process.wait_to_say(f":{process.pid} leads", times=2)
        world.post(overdue_fills(1))
        back_ms = clock_ms()
        until(lambda: not pending(database), "the sweep", process)
        until(lambda: succeeded_after(database, back_ms), "both jobs", process)
        with away(running_postgres, database):
            assert process.asked_to_end() == 0
    database.close()


@contextmanager
def away(server: PostgresServer, database: Database) -> Iterator[None]:
    """Nobody is, or gets, connected to this database within the block."""
    name = sql.Identifier(database.engine.url.database or "")
    with psycopg.connect(
        make_url(server.url("postgres")).set(drivername="postgresql").render_as_string(hide_password=False),
        autocommit=True,
    ) as connection:

        def let_in(is_let: bool) -> None:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(name, sql.Literal(is_let))
            )

        let_in(False)
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [database.engine.url.database],
            )
            yield
        finally:
            let_in(True)


def test_asked_to_end_it_finishes_the_mail_in_hand_and_leaves_the_others(
    world: World, tmp_path: Path
) -> None:
    class Slow(Inbox):
        asked, may_answer = threading.Event(), threading.Event()

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.asked.set()
            await asyncio.get_running_loop().run_in_executor(None, self.may_answer.wait, 60)
            return await super().handle_DATA(server, session, envelope)

    with world.database.writing() as connection:
        recipients.put(connection, Recipient("second@example.org", MINHANG, ""))
    world.post(overdue_fills(1))
    judged_an_hour_ago(world)
    with receiving(Slow) as inbox, worker(tmp_path, world.database, inbox.port) as process:
        assert Slow.asked.wait(60)
        process.terminate()
        process.wait_to_say("is asked to end")
        Slow.may_answer.set()
        assert process.exit_code() == 0
        assert mail_states(world.database) == ["sent", "waiting"]
        assert len(inbox.taken) == 1


@pytest.mark.parametrize(("previous", "following"), [(None, 30), (20.0, 30), (20.003, 30), (29.999, 30)])
def test_jobs_run_at_the_boundaries_of_their_slots(previous: float | None, following: float) -> None:
    """Else a delay of milliseconds would decide into which slot a run falls, and two would fall into one."""
    before = None if previous is None else datetime.fromtimestamp(previous, UTC)
    now = datetime.fromtimestamp(21, UTC)
    assert _Slots(10).get_next_fire_time(before, now) == datetime.fromtimestamp(following, UTC)


def test_the_lead_is_one_workers_until_it_leaves(database: Database, database_url: str) -> None:
    other = open_database(database_url)
    mine, theirs = work.lead(database), work.lead(other)
    assert mine.ours()
    assert not theirs.ours()
    assert mine.ours()
    mine.leave()
    assert theirs.ours()
    assert not mine.ours()
    theirs.leave()
    other.close()


def test_a_lock_file_that_was_removed_ends_the_lead(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    mine, theirs = work.lead(database), work.lead(database)
    assert mine.ours()
    Path(f"{database.engine.url.database}.worker").unlink()
    assert theirs.ours()
    assert not mine.ours()
    theirs.leave()
    database.close()

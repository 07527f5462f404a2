"""Promise 6, restart-proof: thousands of due notices, workers killed at any instant, and two workers at once."""

import json
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from cylinder_trace import delivery
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.rules import LEDGER_RULES
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings
from cylinder_trace.store import parties, recipients
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.store.tables import alert, notice, notice_mail, outbox
from cylinder_trace.web.server import clock_ms
from tests.postbox import Inbox, receiving
from tests.processes import Process, until
from tests.world import LAW, MINHANG, OWNER, World

KILLS = 4
_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE)


class Counting(Inbox):
    """Keeps the Message-IDs only: reading thousands of mails takes longer than sending them."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.ids: Counter[str] = Counter()
        self.is_busy = threading.Event()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        found = _ID.search(envelope.content)
        assert found
        self.ids[found[1].decode()] += 1
        self.is_busy.set()
        return "250 taken"


@pytest.fixture
def counting() -> Iterator[Counting]:
    with receiving(Counting) as inbox:
        assert isinstance(inbox, Counting)
        yield inbox


def fall_due(world: World, rules: int, sites: int, members: int) -> int:
    """Notices of so many groups, each with so many alerts, due for a while; gives how many."""
    now_ms = clock_ms()
    names = sorted(name for name, rule in LEDGER_RULES.items() if not rule.waits_for_late_scans)[:rules]
    places = [f"station-{number:02}" for number in range(sites)]
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("city@example.org", EVERYWHERE))
        recipients.put(connection, Recipient("team@example.org", MINHANG))
        parties.put_records(
            connection,
            [
                SiteRecord(site_id=one, name=one, type="filling_station", owner_id=OWNER, district=MINHANG)
                for one in places
            ],
        )
        alerts, notices = [], []
        for number, (rule, site, _) in enumerate(product(names, places, range(members))):
            told = {"fingerprint": f"{number:032}", "transition_no": 0, "district": MINHANG}
            alerts.append(
                {
                    **told,
                    "rule": rule,
                    "subject": f"{number}",
                    "anchor": "",
                    "severity": 1,
                    "status": "open",
                    "site_id": site,
                    "at_ms": now_ms,
                    "opened_ms": now_ms,
                    "changed_ms": now_ms,
                    "body": json.dumps({"facts": {}, "evidence": ["x"]}),
                }
            )
            notices.append(told | {"reason": "first", "due_ms": now_ms - 60_000, "state": "due"})
        connection.execute(insert(alert), alerts)
        connection.execute(insert(notice), notices)
    return len(notices)


def every_notice_was_told_once(database: Database, number: int) -> set[str]:
    """Gives the ids of all messages that there were to send."""
    with database.reading() as connection:
        assert Counter(connection.scalars(select(notice.c.state))) == {"told": number}
        told = Counter(connection.scalars(select(notice_mail.c.fingerprint)))
        assert (len(told), told.total()) == (number, number)
        rows = connection.execute(select(outbox.c.message_id, outbox.c.state)).all()
    assert {state for _, state in rows} == {"sent"}
    return {message_id for message_id, _ in rows}


def outbox_is_begun(database: Database) -> bool:
    with database.reading() as connection:
        return connection.scalar(select(outbox.c.mail_id).limit(1)) is not None


def test_promise_6_5000_due_notices_survive_kills_at_any_instant(
    sqlite_url: str, counting: Counting, tmp_path: Path
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"KILL_SEED={seed}")  # noqa: T201
    chance = random.Random(seed)
    database = open_database(sqlite_url)
    number = fall_due(World(database), 25, 10, 20)
    assert number == 5000
    for life in range(KILLS):
        settings = {"database_url": sqlite_url, "smtp_port": counting.port, "secret_directory": tmp_path}
        with Process(tmp_path / "deliver.log", "cylinder_trace", "deliver", **settings) as process:
            # The first is killed while it makes the mails, the others while they send them.
            if life:
                until(counting.is_busy.is_set, "a mail", process)
            else:
                until(lambda: outbox_is_begun(database), "the first mail made", process)
            time.sleep(chance.random() * 0.3)
        counting.is_busy.clear()
    channel = SmtpChannel(Settings(smtp_port=counting.port))
    # What the killed had in hand is theirs until its lease runs out.
    for at_ms in (clock_ms(), clock_ms() + delivery.LEASE_MS):
        delivery.run(database, ReferenceCache(LAW), channel, at_ms)
    posted = every_notice_was_told_once(database, number)
    database.close()
    assert counting.ids.keys() == posted
    assert counting.ids.total() - len(posted) <= KILLS


def test_promise_6_two_workers_at_once_tell_each_notice_once(
    running_postgres: object, postgres_url: str, counting: Counting
) -> None:
    databases = [open_database(postgres_url) for _ in range(2)]
    number = fall_due(World(databases[0]), 10, 10, 10)
    at_ms = clock_ms()

    def works(database: Database) -> dict[str, int]:
        return delivery.run(
            database, ReferenceCache(LAW), SmtpChannel(Settings(smtp_port=counting.port)), at_ms
        )

    with ThreadPoolExecutor(2) as pool:
        tallies = [one.result(120) for one in [pool.submit(works, database) for database in databases]]
    posted = every_notice_was_told_once(databases[0], number)
    for database in databases:
        database.close()
    assert sum(tally["sent"] for tally in tallies) == len(posted)
    assert counting.ids == Counter(posted)

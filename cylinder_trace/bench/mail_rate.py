"""How many mails a second leave the outbox: into a mail server on loopback, each leased, taken and marked by itself."""

import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from cylinder_trace import delivery
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened, smtp_sink
from cylinder_trace.store import outbox
from cylinder_trace.store.database import upgrade

MAILS = 1000
_BODY = b"Subject: bench\r\nAuto-Submitted: auto-generated\r\n\r\n" + (b"fact " * 14 + b"\r\n") * 550
"""As large as a mail of twenty alerts."""


def main(url: str | None = None) -> list[str]:
    """Measure on SQLite, or on this database; gives the line to print."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured(url or f"sqlite:///{Path(folder) / 'bench.sqlite3'}", MAILS)
    return [f"sending {MAILS:,} mails into a mail server on loopback: {MAILS / seconds:,.0f} mails/s"]


def measured(url: str, number: int) -> float:
    """Seconds that so many mails take."""
    upgrade(url)
    taken: list[bytes] = []
    with (
        opened(url) as (database, cache),
        smtp_sink(taken) as port,
        tqdm(total=number, unit=" mails", disable=None) as bar,
    ):
        with database.writing() as connection:
            for one in range(number):
                outbox.post(connection, f"bench-{one}", "team@example.org", "", f"<{one}@bench>", _BODY, 0)
        begun = time.perf_counter()
        delivery.run(
            database, cache, SmtpChannel(Settings(smtp_port=port)), 0, lambda _what, done: bar.update(done)
        )
        seconds = time.perf_counter() - begun
    if len(taken) != number:
        raise RuntimeError(f"{len(taken)} of {number} mails arrived")
    return seconds

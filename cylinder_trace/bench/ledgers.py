"""Ledgers to measure on: a small city that was judged, and copies of it until there are enough events."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cylinder_trace import intake, sweep
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.law.tables import load
from cylinder_trace.simulator.city import City
from cylinder_trace.simulator.plan import Arrival
from cylinder_trace.store import copies, ledger, parties
from cylinder_trace.store.database import Database, open_database, upgrade
from cylinder_trace.store.parties import ReferenceCache


@dataclass
class Ledger:
    """A database on disk. `copies` says how many copies of the city it holds beside the city."""

    path: Path
    database: Database
    cache: ReferenceCache
    copies: int = 0

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def events(self) -> int:
        """How many events it holds."""
        with self.database.reading() as connection:
            return ledger.counts(connection)["events"]

    def grow(self, events: int) -> None:
        """Add copies until it holds about so many events."""
        with self.database.reading() as connection:
            held = ledger.counts(connection)["events"]
        wanted = round((self.copies + 1) * events / held) - 1
        if wanted > self.copies:
            with tqdm(
                total=wanted - self.copies, unit=" copies", desc=f"{events:,} events", disable=None
            ) as bar:
                copies.copied(self.database, self.copies + 1, wanted, bar.update)
            self.copies = wanted


def history_and_news(city: City, news: int) -> tuple[list[Arrival], list[Arrival]]:
    """A city's events in the order they arrived, each once, and the last of them apart."""
    once = list({arrival.event.event_id: arrival for arrival in city.arrivals}.values())
    return once[:-news], once[-news:]


@contextmanager
def judged(folder: Path, city: City, history: list[Arrival]) -> Iterator[Ledger]:
    """A ledger in which this much of a city was recorded, judged and swept."""
    with _opened(folder / "small.sqlite3", is_new=True) as made:
        with made.database.writing() as connection:
            parties.put_records(connection, list(city.records))
        for start in range(0, len(history), LARGEST_BATCH):
            record(made, history[start : start + LARGEST_BATCH])
        settled(made, epoch_ms(history[-1].received_at))
        yield made


@contextmanager
def copy_of(other: Ledger, name: str) -> Iterator[Ledger]:
    """The same ledger in another file."""
    path = other.path.with_name(name)
    with other.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(other.path, path)
    with _opened(path, is_new=False) as opened:
        yield opened


def record(ledger: Ledger, arrivals: list[Arrival]) -> None:
    """Record events as received with the last of them."""
    events: list[Any] = [one.event for one in arrivals]
    intake.record(ledger.database, events, arrivals[-1].received_at, None)


def settled(ledger: Ledger, now_ms: int) -> None:
    """Sweep until nothing is left to do: days are looked at an hour after they changed."""
    for hours in (-2, -1, 0):
        sweep.run(ledger.database, ledger.cache, now_ms + hours * HOUR_MS)


@contextmanager
def _opened(path: Path, *, is_new: bool) -> Iterator[Ledger]:
    if is_new:
        upgrade(f"sqlite:///{path}")
    database = open_database(f"sqlite:///{path}")
    try:
        yield Ledger(path, database, ReferenceCache(load()))
    finally:
        database.close()

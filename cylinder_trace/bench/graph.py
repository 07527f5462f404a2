"""Measuring the network: a city's month of movements made up in a database, and how long its readers wait."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, insert, text

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging import neighbourhood
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import network_findings
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.law.tables import load
from cylinder_trace.store import flows, surroundings
from cylinder_trace.store import legs as store_legs
from cylinder_trace.store.database import Database, open_database, upgrade
from cylinder_trace.store.tables import leg

END_MS = epoch_ms(datetime(2026, 11, 1, tzinfo=UTC))
STATIONS, DEPOTS, FIRMS = 40, 400, 40
_ROUNDS = 7


@dataclass(frozen=True)
class Measured:
    """Seconds, the median of a few rounds. `edges` is what the larger of the neighbourhoods is made of."""

    legs: int
    customer_s: float
    depot_s: float
    edges: int
    busy_depot_looked_at_s: float
    depots_looked_at_s: float


def main() -> list[str]:
    """Measure; gives the lines to print. Takes about a minute."""
    took = neighbourhood_s()
    return [
        f"a neighbourhood at two hops among {took.legs:,} legs of a month, of a customer: {1000 * took.customer_s:.0f} ms",
        f"and of a depot as busy as ten, {took.edges:,} edges: {1000 * took.depot_s:.0f} ms",
        f"the network rules around that depot: {1000 * took.busy_depot_looked_at_s:.0f} ms",
        f"and around all {DEPOTS} depots: {took.depots_looked_at_s:.1f} s",
    ]


def neighbourhood_s(customers: int = 60_000, legs: int = 1_000_000) -> Measured:
    """A month of a city of this size, and how long a neighbourhood at two hops and the rules around a depot take."""
    with _month(customers, legs) as (database, reference), database.reading() as connection:
        first_day, last_day = local_day(END_MS) - 30, local_day(END_MS)

        def around(site: str) -> int:
            streams = flows.around(connection, site, 2, first_day, last_day)
            graph = neighbourhood.site_graph(streams, reference)
            neighbourhood.communities(neighbourhood.owners_graph(graph))
            return graph.number_of_edges()

        def looked_at(sites: list[str]) -> None:
            for site, graph in surroundings.around(connection, sites, reference, END_MS).items():
                network_findings(graph, site, reference, END_MS)

        edges = around("D0000")
        return Measured(
            store_legs.count(connection),
            _median_s(lambda: around("C000001")),
            _median_s(lambda: around("D0000")),
            edges,
            _median_s(lambda: looked_at(["D0000"])),
            _median_s(lambda: looked_at([f"D{number:04}" for number in range(DEPOTS)])),
        )


def _median_s(work: Callable[[], Any]) -> float:
    took = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


@contextmanager
def _month(customers: int, legs: int) -> Iterator[tuple[Database, Reference]]:
    """Filled at a station, to a depot, to one of its customers, back to the depot and on to the station, over and over."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'city.sqlite3'}"
        upgrade(url)
        with closing(open_database(url)) as database:
            with database.writing() as connection:
                _move(connection, _ways(customers, legs))
            with database.writing() as connection:
                connection.execute(text("ANALYZE"))
            yield database, Reference.of(load(), _records(customers), [])


def _records(customers: int) -> Iterator[Any]:
    for number in range(FIRMS):
        yield OwnerRecord(owner_id=f"F{number:02}", name=f"firm {number}")
    for number in range(STATIONS):
        owner = f"F{number % FIRMS:02}"
        yield SiteRecord(
            site_id=f"S{number:04}", name="station", type="filling_station", owner_id=owner, district="310112"
        )
    for number in range(DEPOTS):
        owner = f"F{number % FIRMS:02}"
        yield SiteRecord(
            site_id=f"D{number:04}", name="depot", type="depot", owner_id=owner, district="310112"
        )
    for number in range(customers):
        yield SiteRecord(
            site_id=f"C{number:06}", name="customer", type="customer", district="310112", storage_limit_kg=200
        )


def _ways(customers: int, legs: int) -> Iterator[dict[str, Any]]:
    """Legs in no order. Every week a customer gets a full bottle and gives the empty one of the week before."""
    chance = Random(7)
    weeks = max(2, round(legs / (4 * customers)))
    number = 0
    for customer in range(customers):
        # The first depot is as busy as ten others.
        depot = 0 if chance.random() < 10 / DEPOTS else customer % DEPOTS
        home, place, station = f"C{customer:06}", f"D{depot:04}", f"S{depot % STATIONS:04}"
        first_ms = END_MS - 30 * DAY_MS + int(chance.random() * 7 * DAY_MS)
        for week in range(weeks):
            brought_ms = first_ms + week * 7 * DAY_MS
            taken_ms = brought_ms + 7 * DAY_MS
            way = (
                ("receive", station, place, brought_ms - DAY_MS),
                ("deliver", place, home, brought_ms),
                ("return", home, place, taken_ms),
                ("receive", place, station, taken_ms + DAY_MS),
            )
            for no, (kind, origin, goal, at_ms) in enumerate(way):
                if at_ms <= END_MS:
                    outside = kind == "deliver" and chance.random() < 0.0005
                    yield _leg(
                        f"{number:09}", no, kind, origin, goal, at_ms, f"F{depot % FIRMS:02}", outside=outside
                    )
            number += 1


def _leg(
    cylinder_id: str, no: int, kind: str, origin: str, goal: str, at_ms: int, owner: str, *, outside: bool
) -> dict[str, Any]:
    return {
        "cylinder_id": cylinder_id,
        "no": no,
        "kind": kind,
        "from_site": origin,
        "to_site": goal,
        "departed_ms": at_ms,
        "arrived_ms": at_ms,
        "depart_event": f"{cylinder_id}-{no}-a",
        "arrive_event": f"{cylinder_id}-{no}-b",
        "owner": owner,
        "gas_g": 14_900,
        "gap": False,
        "decanted": False,
        "outside": outside,
    }


def _move(connection: Connection, ways: Iterator[dict[str, Any]]) -> None:
    while some := list(islice(ways, 10_000)):
        connection.execute(insert(leg), some)
    # As the migration fills it from legs that were there before.
    connection.execute(
        text(
            "INSERT INTO flow (from_site, to_site, day, n) SELECT from_site, to_site,"
            " (arrived_ms + 62135712000000) / 86400000, count(*) FROM leg GROUP BY 1, 2, 3"
        )
    )

"""Whole lives of many cylinders, read fast: for whoever tells everything anew and writes nothing.

The rows are taken as the driver gives them and only the columns that judging needs are read; what waits to be
judged is left out, as it is for the alerts on record.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from cylinder_trace.judging.scan import IN_ORDER, Scan, overruled
from cylinder_trace.store import codes, ledger
from cylinder_trace.store.database import chunked, fetched
from cylinder_trace.store.tables import correction, cylinder, event, leg, pending

_COLUMNS = (event.c.code, event.c.occurred_ms, event.c.received_ms, event.c.body)

_FEW_WAITING = 5000
"""As many as are read whole."""

Jump = tuple[int, str]
"""When it was noticed, and by which event."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """All corrections of the ledger: the id of each with the id it corrects, and with the device that made it.

    They are few, so they are kept in memory.
    """

    made: Mapping[str, str] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
    _of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one, corrected in self.made.items():
            self._of[corrected].append(one)

    @property
    def void(self) -> set[str]:
        """The events that they declare wrong."""
        return overruled(self.made)

    def of(self, event_ids: Iterable[str]) -> dict[str, str]:
        """The corrections of these events, the corrections of those, and so on."""
        found: dict[str, str] = {}
        newest = [one for one in event_ids if one in self._of]
        while newest:
            following = [one for target in newest for one in self._of.get(target, ()) if one not in found]
            found |= {one: self.made[one] for one in following}
            newest = following
        return found


def corrections(connection: Connection) -> Corrections:
    """Every correction on record."""
    made = {row.event_id: row.corrects for row in connection.execute(select(correction))}
    return Corrections(made, ledger.made_with(connection, made))


def count(connection: Connection) -> int:
    """How many cylinders there are."""
    return connection.scalar(select(func.count()).select_from(cylinder)) or 0


def slices(connection: Connection, size: int) -> Iterator[tuple[str, str, int]]:
    """The first and the last id of every so many cylinders, in the database's order, and how many they are."""
    after: str | None = None
    while True:
        statement = select(cylinder.c.cylinder_id).order_by(cylinder.c.cylinder_id).limit(size)
        if after is not None:
            statement = statement.where(cylinder.c.cylinder_id > after)
        ids = list(connection.scalars(statement))
        if not ids:
            return
        yield ids[0], ids[-1], len(ids)
        after = ids[-1]


def between(connection: Connection, first: str, last: str) -> dict[str, list[Scan]]:
    """What happened to each of the cylinders from `first` to `last`, in no order."""
    ids = select(cylinder.c.cylinder_id).where(cylinder.c.cylinder_id.between(first, last))
    its_codes = codes.all_codes_of(connection, connection.scalars(ids))
    lives: dict[str, list[Scan]] = {cylinder_id: [] for cylinder_id in its_codes}
    # The rows of one code lie together in the index: one range of it instead of a look-up for every code.
    _read_in(lives, connection, lambda code: code.between(first, last), {one: one for one in its_codes})
    aliases = {code: one for one, its in its_codes.items() for code in its if code != one}
    for some in chunked(list(aliases)):
        _read_in(lives, connection, lambda code, some=some: code.in_(some), aliases)  # type: ignore[misc]
    return lives


def _read_in(
    lives: dict[str, list[Scan]],
    connection: Connection,
    which: Callable[[Column[Any]], ColumnElement[bool]],
    cylinder_of: Mapping[str, str],
) -> None:
    """Read the judged events whose code is one of `which`, each to the cylinder whose code it is."""
    waiting = set(connection.scalars(select(pending.c.event_id).where(which(pending.c.code))))
    read = Scan.read
    for code, occurred_ms, received_ms, body in fetched(
        connection, select(*_COLUMNS).where(which(event.c.code))
    ):
        one = lives.get(cylinder_of.get(code, ""))
        if one is not None:
            one.append(read(body, occurred_ms, received_ms, code))
    if waiting:
        for cylinder_id, its in lives.items():
            lives[cylinder_id] = [scan for scan in its if scan.event_id not in waiting]


def sites(connection: Connection) -> Iterator[str]:
    """Every site at which anything was scanned, in the database's order."""
    site: str | None = None
    while True:
        # From one to the next through the index: a look-up for each instead of a pass over all events.
        following = select(func.min(event.c.site_id))
        if site is not None:
            following = following.where(event.c.site_id > site)
        site = connection.scalar(following)
        if site is None:
            return
        yield site


def span(connection: Connection) -> tuple[int, int] | None:
    """When the first and the last scan at any site happened; None where there is none."""
    at_ms = [
        (row.first, row.last)
        for site in sites(connection)
        for row in connection.execute(
            select(
                func.min(event.c.occurred_ms).label("first"), func.max(event.c.occurred_ms).label("last")
            ).where(event.c.site_id == site)
        )
    ]
    return (min(first for first, _ in at_ms), max(last for _, last in at_ms)) if at_ms else None


def at_site(connection: Connection, site: str, from_ms: int, to_ms: int) -> list[Scan]:
    """What was scanned at a site from a moment up to, and without, another, in the order it happened."""
    which = (event.c.site_id == site) & (event.c.occurred_ms >= from_ms) & (event.c.occurred_ms < to_ms)
    statement = select(*_COLUMNS).where(which, event.c.code.is_not(None))
    waiting = _waiting(connection, which)
    read = Scan.read
    scans = [
        read(body, occurred_ms, received_ms, code)
        for code, occurred_ms, received_ms, body in fetched(connection, statement)
    ]
    if waiting:
        scans = [scan for scan in scans if scan.event_id not in waiting]
    scans.sort(key=IN_ORDER)
    return scans


def _waiting(connection: Connection, which: ColumnElement[bool]) -> set[str]:
    """The events that no judge has judged yet; perhaps others too that are not among `which`."""
    few = list(connection.scalars(select(pending.c.event_id).limit(_FEW_WAITING)))
    if len(few) < _FEW_WAITING:
        return set(few)
    # Look-ups of every event among those that wait, which is dear and seldom needed.
    statement = select(pending.c.event_id).join(event, event.c.event_id == pending.c.event_id)
    return set(connection.scalars(statement.where(which)))


def jumps(connection: Connection, site: str, from_ms: int, to_ms: int) -> tuple[list[Jump], list[Jump]]:
    """When cylinders turned out to have left a site, and to have come to it, without any scan; with the event each."""
    gaps = select(leg.c.arrived_ms, leg.c.arrive_event)
    gaps = gaps.where(leg.c.kind == "gap", leg.c.arrived_ms >= from_ms, leg.c.arrived_ms < to_ms)
    gone, come = (
        sorted((row.arrived_ms, row.arrive_event or "") for row in connection.execute(gaps.where(which)))
        for which in (leg.c.from_site == site, leg.c.to_site == site)
    )
    return gone, come

"""Sites' days: which have to be looked at again and when, what was scanned on them, and the tallies kept of them.

The city's days form a chain: when one has been looked at, the next is put on the list for when it will be over, so that
a silence is noticed though no event tells of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.judging.days import EVIDENCE, SiteDay
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS, IN_ORDER, MINUTE_MS, Scan, day_start_ms, local_day
from cylinder_trace.judging.state import Leg
from cylinder_trace.judging.tally import Tally
from cylinder_trace.judging.windows import DAYS
from cylinder_trace.law.tables import load
from cylinder_trace.store import ledger, tries
from cylinder_trace.store.database import KEYS_AT_ONCE, add_missing, any_of, chunked, fetched, put
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.tables import (
    correction,
    event,
    finding,
    leg,
    pending,
    site_day,
    touched_city_day,
    touched_day,
)

Day = tuple[str, int]
"""A site and a local day."""

_COLUMNS = [event.c[name] for name in Entry.__slots__]
_MOST_DAYS = 50
"""Looked at in one transaction: a busy station's takes a tenth of a second."""
_MOST_CITY_DAYS = 32
"""Looked at in one transaction: their windows overlap, so that a tally is read once for all of them."""


def _due(which: Table, *order: Column[Any]) -> Select[Any]:
    now_ms: ColumnElement[int] = bindparam("now_ms", type_=BigInteger)
    statement = select(*which.primary_key).where(which.c.due_ms <= now_ms, which.c.not_before_ms <= now_ms)
    return statement.order_by(*order).limit(bindparam("most"))


# Asked at every sweep, and made once: making them takes longer than asking.
_DUE = _due(touched_day, touched_day.c.due_ms, *touched_day.primary_key)
_CITY_DUE = _due(touched_city_day, touched_city_day.c.day)


def of_scans(scans: Iterable[Scan]) -> set[Day]:
    """The days that these scans are part of."""
    return {(scan.site, local_day(scan.at_ms)) for scan in scans if scan.site is not None}


def of_evidence(
    connection: Connection, found: Mapping[str, Sequence[Finding]], anew: Collection[str]
) -> set[Day]:
    """The days whose evidence changes when units show what was `found`: to be asked before that is remembered.

    Of the units `anew` it replaces all they showed.
    """
    before: set[tuple[str, str, int]] = set()
    for some in chunked(sorted(anew)):
        shown = select(finding.c.fingerprint, finding.c.site_id, finding.c.at_ms)
        shown = shown.where(finding.c.unit.in_(some), finding.c.rule.in_(EVIDENCE)).distinct()
        before |= {(fingerprint, site, at_ms) for fingerprint, site, at_ms in connection.execute(shown)}
    now = {
        (one.fingerprint, one.site or "", one.at_ms)
        for its in found.values()
        for one in its
        if one.rule in EVIDENCE
    }
    return {(site, local_day(at_ms)) for _, site, at_ms in before ^ now if site}


def of_jumps(connection: Connection, legs: Mapping[str, Sequence[Leg]], anew: Collection[str]) -> set[Day]:
    """The days at whose sites cylinders left or came unscanned, where these legs change that: to be asked before.

    Of the cylinders `anew` they replace all that were known.
    """
    before: set[tuple[str, str, str, int | None]] = set()
    for some in chunked(sorted(anew)):
        gaps = select(leg.c.cylinder_id, leg.c.from_site, leg.c.to_site, leg.c.arrived_ms)
        rows = connection.execute(gaps.where(leg.c.cylinder_id.in_(some), leg.c.kind == "gap"))
        before |= {(one, origin, goal, at_ms) for one, origin, goal, at_ms in rows}
    now = {
        (cylinder_id, one.from_site, one.to_site, one.arrived_ms)
        for cylinder_id, its in legs.items()
        for one in its
        if one.kind == "gap"
    }
    return {
        (site, local_day(at_ms))
        for _, origin, goal, at_ms in before ^ now
        if at_ms is not None
        for site in (origin, goal)
    }


def touch_again(connection: Connection, site: str, from_ms: int, kept_only: bool = False) -> None:
    """What is on record of a site is another since a moment: its days and what looks back on them are judged again.

    `kept_only` leaves out days without a tally: those of a customer.
    """
    found = {(site, day) for day in _kept(connection, site, from_ms)}
    if not kept_only:
        seen = select(event.c.occurred_ms).where(event.c.site_id == site, event.c.occurred_ms >= from_ms)
        found |= {(site, local_day(at_ms)) for at_ms in connection.scalars(seen)}
    # Those that are to be looked at anyway keep their time. No sweep is under way: the register is held alone.
    rows = [{"site_id": one, "day": day, "due_ms": _over_ms(day)} for one, day in sorted(found)]
    add_missing(connection, touched_day, rows)
    _touch_city_again(connection, {day for _, day in found})


def touch_city_again(connection: Connection, site: str, from_ms: int) -> None:
    """A paper of a site is another since a moment: what looks back on the site's days is judged again."""
    _touch_city_again(connection, _kept(connection, site, from_ms))


def _touch_city_again(connection: Connection, changed: Collection[int]) -> None:
    _touch_city(connection, changed, _over_ms(min(changed)) if changed else 0)


def _over_ms(day: int) -> int:
    """When a day may be judged by the law of that day: what is dated ahead has one that is not over."""
    return day_start_ms(day + 1) + int(load().number("site_day.after_h", date.fromordinal(day)) * HOUR_MS)


def _kept(connection: Connection, site: str, from_ms: int) -> set[int]:
    # Whatever the paper says of a day, the weeks that end with it look back on days before.
    first = max(0, local_day(from_ms) - DAYS)
    statement = select(site_day.c.day).where(site_day.c.site_id == site, site_day.c.day > first)
    return set(connection.scalars(statement))


def touch(connection: Connection, days: Iterable[Day], reference: Reference, now_ms: int) -> None:
    """Have these days looked at: one that is not over some hours after its end, the others soon. Customers have no days."""
    after_ms = int(reference.number("site_day.after_h", now_ms) * HOUR_MS)
    soon_ms = int(reference.number("site_day.soon_min", now_ms) * MINUTE_MS)
    due = {
        (site, day): max(day_start_ms(day + 1) + after_ms, now_ms + soon_ms)
        for site, day in days
        if site not in reference.customers
    }
    rows = [{"site_id": site, "day": day, "due_ms": due[site, day]} for site, day in sorted(due)]
    _have_looked_at(connection, touched_day, rows)


def due(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """The days that are to be looked at now, as keys."""
    asked = {"now_ms": now_ms, "most": min(limit, _MOST_DAYS)}
    return [f"{day} {site}" for site, day in connection.execute(_DUE, asked)]


def named(key: str) -> Day:
    """The day that a key of `due` is of."""
    day, site = key.split(" ", 1)
    return site, int(day)


def looked_at(connection: Connection) -> list[Day]:
    """The days whose tallies are kept, but for those that wait to be looked at again."""
    kept = select(site_day.c.site_id, site_day.c.day).order_by(site_day.c.day, site_day.c.site_id)
    waiting = {(row.site_id, row.day) for row in connection.execute(select(touched_day))}
    return [(site, day) for site, day in connection.execute(kept) if (site, day) not in waiting]


def looked_back_on(connection: Connection) -> list[int]:
    """The city's days that were looked at, but for those that wait to be looked at again."""
    waiting = set(connection.scalars(select(touched_city_day.c.day)))
    first = connection.scalar(select(func.min(site_day.c.day)))
    return (
        []
        if first is None
        else [day for day in range(first, max(waiting, default=first)) if day not in waiting]
    )


def kept_tally(connection: Connection, site: str, day: int) -> str | None:
    """The tally of a day as it is kept."""
    return connection.scalar(
        select(site_day.c.tally).where(site_day.c.site_id == site, site_day.c.day == day)
    )


def take_off(connection: Connection, days: Iterable[Day]) -> None:
    """Take days off the list: they are looked at now."""
    for some in chunked(sorted(days), KEYS_AT_ONCE):
        which = any_of((touched_day.c.site_id, touched_day.c.day), some)
        connection.execute(delete(touched_day).where(which))


def put_off(connection: Connection, key: str, now_ms: int, error: str) -> None:
    """The day could not be judged: it is looked at again later."""
    site, day = named(key)
    tries.put_off(connection, touched_day, (site, day), now_ms, error)


def read(connection: Connection, site: str, day: int) -> SiteDay:
    """A site's day as it stands: what is judged of it, without what a correction declares wrong."""
    scans = _scans(connection, (event.c.site_id == site) & _within(event.c.occurred_ms, day))
    void = _void(connection, (event.c.site_id == site) & _within(event.c.occurred_ms, day))
    shown = select(finding.c.rule, finding.c.event_id, finding.c.at_ms, finding.c.unit)
    shown = shown.where(finding.c.rule.in_(EVIDENCE), finding.c.site_id == site)
    evidence: dict[str, dict[str, int]] = defaultdict(dict)
    its = {scan.event_id: scan.at_ms for scan in scans}
    for rule, event_id, at_ms, _ in connection.execute(shown.where(_within(finding.c.at_ms, day))):
        # A finding names events of other days too; the deciding one is what lies at its time.
        if its.get(event_id) == at_ms:
            evidence[rule][event_id] = at_ms
    gaps = select(leg.c.from_site, leg.c.arrived_ms, leg.c.arrive_event)
    gaps = gaps.where(leg.c.kind == "gap", _within(leg.c.arrived_ms, day))
    jumps: dict[bool, list[tuple[int, str]]] = {True: [], False: []}
    for side, column in ((True, leg.c.from_site), (False, leg.c.to_site)):
        rows = connection.execute(gaps.where(column == site))
        jumps[side] = sorted((at_ms, event_id or "") for _, at_ms, event_id in rows)
    return SiteDay(
        site,
        day,
        [scan for scan in scans if scan.event_id not in void],
        [scan for scan in scans if scan.event_id in void],
        {
            rule: [one for _, one in sorted((at, one) for one, at in ids.items())]
            for rule, ids in evidence.items()
        },
        [event_id for _, event_id in jumps[True]],
        [event_id for _, event_id in jumps[False]],
    )


def of_person(connection: Connection, person: str, sites: Sequence[str], day: int) -> list[Scan]:
    """What a person scanned at these sites on one day, as far as it is judged and not declared wrong."""
    which = event.c.site_id.in_(sites) & _within(event.c.occurred_ms, day) & (event.c.operator_id == person)
    void = _void(connection, which)
    return [scan for scan in _scans(connection, which) if scan.event_id not in void]


def save(
    connection: Connection, tallies: Mapping[Day, Tally | None], reference: Reference, now_ms: int
) -> None:
    """Keep these tallies; the city's days that look back on one that changed are looked at again."""
    changed: set[int] = set()
    rows, gone = [], []
    for some in chunked(sorted(tallies), KEYS_AT_ONCE):
        statement = select(site_day).where(any_of((site_day.c.site_id, site_day.c.day), some))
        known = {(row.site_id, row.day): row.tally for row in connection.execute(statement)}
        for site, day in some:
            tally = tallies[site, day]
            text = tally.saved() if tally and site not in reference.customers else None
            if text == known.get((site, day)):
                continue
            changed.add(day)
            if text is None:
                gone.append((site, day))
            else:
                rows.append({"day": day, "site_id": site, "tally": text})
    put(connection, site_day, rows)
    for some in chunked(gone, KEYS_AT_ONCE):
        connection.execute(delete(site_day).where(any_of((site_day.c.site_id, site_day.c.day), some)))
    if changed:
        _touch_city(connection, changed, max(_judged_ms(min(changed), reference, now_ms), now_ms))


def _touch_city(connection: Connection, changed: Collection[int], due_ms: int) -> None:
    """Have the city's days looked at again that look back on these, as far as the chain has come."""
    if not changed:
        return
    # The head of the chain is the one day that is not over, or that nobody has looked at yet.
    head = connection.scalar(select(func.max(touched_city_day.c.day)))
    days = {day for one in changed for day in range(one, one + DAYS) if head is None or day < head}
    if head is None:
        days = {min(changed)}
    rows = [{"day": day, "due_ms": due_ms} for day in sorted(days)]
    _have_looked_at(connection, touched_city_day, rows)


def _judged_ms(day: int, reference: Reference, now_ms: int) -> int:
    return day_start_ms(day + 1) + int(reference.number("site_day.after_h", now_ms) * HOUR_MS)


def city_due(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """The city's days that are to be looked at now, the earliest first, as keys."""
    asked = {"now_ms": now_ms, "most": min(limit, _MOST_CITY_DAYS)}
    return [str(day) for day in connection.scalars(_CITY_DUE, asked)]


def take_off_city(connection: Connection, days: Sequence[int], reference: Reference, now_ms: int) -> None:
    """Take the city's days off the list; after the last of them the next ones of the chain are put there.

    Those are the days that are over by now, which are looked at together for their windows overlap, and one more.
    """
    head = connection.scalar(select(func.max(touched_city_day.c.day)))
    for some in chunked(sorted(days)):
        connection.execute(delete(touched_city_day).where(touched_city_day.c.day.in_(some)))
    if head in days:
        rows: list[dict[str, Any]] = []
        while len(rows) < _MOST_CITY_DAYS and (not rows or rows[-1]["due_ms"] <= now_ms):
            head = _following(connection, head, now_ms)
            rows.append({"day": head, "due_ms": _judged_ms(head, reference, now_ms)})
        _have_looked_at(connection, touched_city_day, rows)


def _following(connection: Connection, day: int, now_ms: int) -> int:
    """The next day in whose window anything happened; where nothing has, today."""
    seen = select(func.max(site_day.c.day)).where(site_day.c.day <= day + 1, site_day.c.day > day + 1 - DAYS)
    if connection.scalar(seen) is not None:
        return day + 1
    later = connection.scalar(select(func.min(site_day.c.day)).where(site_day.c.day > day))
    return max(day + 1, min(later or local_day(now_ms), local_day(now_ms)))


def put_off_city(connection: Connection, key: str, now_ms: int, error: str) -> None:
    """The city's day could not be judged: it is looked at again later."""
    tries.put_off(connection, touched_city_day, int(key), now_ms, error)


def tallies(connection: Connection, first: int, last: int) -> dict[str, dict[int, Tally]]:
    """What all sites did on these days, both ends inclusive."""
    found: dict[str, dict[int, Tally]] = defaultdict(dict)
    statement = select(site_day.c.site_id, site_day.c.day, site_day.c.tally)
    statement = statement.where(site_day.c.day >= first, site_day.c.day <= last)
    for site, day, tally in fetched(connection, statement):
        found[site][day] = _restored(tally)
    return found


@lru_cache(maxsize=16_384)
def _restored(text: str) -> Tally:
    # Of four weeks of a city's sites all but a day's tallies are those of the sweep before.
    return Tally.restored(text)


def _scans(connection: Connection, which: ColumnElement[bool]) -> list[Scan]:
    statement = select(*_COLUMNS).outerjoin(pending, pending.c.event_id == event.c.event_id)
    statement = statement.where(which, pending.c.event_id.is_(None), event.c.code.is_not(None))
    scans = [Entry(*row).scan for row in connection.execute(statement)]
    return sorted(scans, key=IN_ORDER)


def _void(connection: Connection, which: ColumnElement[bool]) -> set[str]:
    corrected = select(event.c.event_id).join(correction, correction.c.corrects == event.c.event_id)
    return ledger.void_among(connection, list(connection.scalars(corrected.where(which))))


def _within(column: ColumnElement[Any], day: int) -> ColumnElement[bool]:
    return and_(column >= day_start_ms(day), column < day_start_ms(day + 1))


def _have_looked_at(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Put rows on a list of days; one that is there keeps the earlier time, and is held until the transaction ends."""
    if rows:
        # Held, or a sweep under way takes it off without having seen what we changed.
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        insert = make(table)
        earlier = func.least if connection.dialect.name == "postgresql" else func.min
        keep = {"due_ms": earlier(table.c.due_ms, insert.excluded.due_ms)}
        keys = [column.name for column in table.primary_key]
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=keep), rows)

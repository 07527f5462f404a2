"""Which stories have to be told again when the register or a paper changed: those it decides of, from when it holds."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select

from cylinder_trace.contract.master import PersonRecord, SiteRecord, read_record
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.store import codes, cylinders, ledger, legs
from cylinder_trace.store import days as site_days
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.tables import party

Key = tuple[str, str, str]
"""`site`, `owner` or `person`; its id; the day from which a record of it holds, empty for always."""

_ALWAYS_MS = -(2**62)
_IN_STORIES = {
    "site": ("type", "owner_id", "district", "lat", "lon", "guns", "segment"),
    "owner": ("districts", "licence_valid_until"),
    "person": ("site_id", "certificate_no", "certificate_valid_until"),
}
"""What the rules over a cylinder's story ask of a record."""
_IN_DAYS = ("type", "owner_id", "lat", "lon", "opens", "closes", "lines")
"""What the rules over days ask of a site."""
_AROUND = ("type", "owner_id", "district", "storage_limit_kg", "valid_from")
"""What the rules over the network ask of a site."""


def of_records(connection: Connection, before: Mapping[Key, Any], new: Mapping[Key, Any]) -> None:
    """Have told again what these new records decide otherwise than those on record `before` did."""
    from_ms: dict[str, dict[str, int]] = defaultdict(dict)
    around: set[str] = set()
    in_days: dict[str, tuple[int, bool]] = {}
    guns: dict[str, int] = {}
    staffed: set[str] = set()
    for (kind, record_id, day), record in new.items():
        days = sorted(one for which, its_id, one in before if (which, its_id) == (kind, record_id))
        earlier = [one for one in days if one <= day] or days[:1]
        held = before[kind, record_id, earlier[-1]] if earlier else None
        if _differ(held, record, _IN_STORIES[kind]):
            # The first record holds for what was before it, too.
            since_ms = _day_ms(day) if any(one < day for one in days) else _ALWAYS_MS
            from_ms[kind][record_id] = min(since_ms, from_ms[kind].get(record_id, since_ms))
            if kind == "site":
                for gun in set(record.guns) ^ set(held.guns if held else ()):
                    guns[gun] = min(since_ms, guns.get(gun, since_ms))
            elif kind == "person":
                moved = {record.site_id} ^ {held.site_id if held else None}
                staffed |= {site for site in moved if site is not None}
        if kind == "site" and _differ(held, record, _AROUND):
            around.add(record_id)
        if kind == "site" and _differ(held, record, _IN_DAYS):
            since_ms = _day_ms(day) if any(one < day for one in days) else _ALWAYS_MS
            no_days = record.type == "customer" and (held is None or held.type == "customer")
            in_days[record_id] = min((since_ms, no_days), in_days.get(record_id, (since_ms, no_days)))
    for site, (since_ms, no_days) in sorted(in_days.items()):
        site_days.touch_again(connection, site, since_ms, no_days)
    touched: set[str] = set()
    for site, since_ms in from_ms["site"].items():
        touched |= _seen_at(connection, [site], since_ms) | legs.cylinders_of(
            connection, [site], [], since_ms
        )
    for owner, since_ms in from_ms["owner"].items():
        touched |= legs.cylinders_of(connection, [], [owner], since_ms)
        touched |= cylinders.of_owners(connection, [owner])
    for gun, since_ms in sorted(guns.items()):
        fills = ledger.fills_with(connection, gun, since_ms)
        touched |= set(codes.roots_of(connection, {code for code, _ in fills}).values())
        for site in sorted({site for _, site in fills}):
            site_days.touch_city_again(connection, site, since_ms)
    if staffed:
        # Where the register begins to know the staff, or ceases to, those it does not know are judged otherwise.
        whose = {person for kind, person, _ in new if kind == "person"}
        staffed -= _staffed_by_others(connection, whose)
        touched |= _seen_at(connection, sorted(staffed), _ALWAYS_MS)
    for person, since_ms in from_ms["person"].items():
        seen = ledger.codes_scanned_by(connection, person, since_ms)
        touched |= set(codes.roots_of(connection, seen).values())
    cylinders.ask_again(connection, touched, None)
    legs.touch(connection, {*around, *legs.ends_of(connection, around)})


def of_paper(connection: Connection, paper: Entry, because: str) -> None:
    """Have told again what a licence, an agreement, an approval or a tag block decides, `because` of an event."""
    said = paper.message
    if paper.kind == "licence":
        touched = _seen_at(connection, [said["licensed_site_id"]], paper.occurred_ms)
        site_days.touch_city_again(connection, said["licensed_site_id"], paper.occurred_ms)
    elif paper.kind == "agreement":
        touched = _seen_at(connection, [said["station_id"]], _day_ms(said["valid_from"]))
        # Whether a firm has an agreement decides of its whole record.
        site_days.touch_city_again(connection, said["station_id"], _ALWAYS_MS)
        # It decides whether what moves between the places of the two firms is anybody's business.
        legs.touch(connection, _places_of_firms(connection, said["owner_id"], said["station_id"]))
    elif paper.kind == "approval":
        touched = legs.cylinders_of(connection, [], [said["owner_id"]], _day_ms(said["valid_from"]))
    else:
        # Numbers are looked at where a cylinder gets one: nobody has gone anywhere with it yet.
        touched = cylinders.of_owners(connection, [said["owner_id"]])
        touched |= legs.cylinders_of(connection, [], [said["owner_id"]], paper.occurred_ms)
    cylinders.ask_again(connection, touched, because)


def of_device(connection: Connection, device_id: str, from_ms: int) -> None:
    """Have told again what a device that is enrolled now has scanned since a moment, and what it corrected."""
    seen, corrected = ledger.codes_made_with(connection, device_id, from_ms)
    cylinders.ask_again(connection, set(codes.roots_of(connection, seen | corrected).values()), None)


def _places_of_firms(connection: Connection, owner: str, station: str) -> set[str]:
    """The places of a firm, and of the firm that runs a station, by any record of them."""
    is_station = (party.c.record == "site", party.c.id == station)
    records = [read_record(body) for body in connection.scalars(select(party.c.body).where(*is_station))]
    firms = {owner} | {one.owner_id for one in records if isinstance(one, SiteRecord) and one.owner_id}
    run = [party.c.body.contains(f'"owner_id":"{firm}"', autoescape=True) for firm in firms]
    return set(connection.scalars(select(party.c.id).where(party.c.record == "site", or_(*run))))


def _staffed_by_others(connection: Connection, people: Collection[str]) -> set[str]:
    """The sites at which the staff register knows somebody besides these."""
    which = select(party.c.id, party.c.body).where(party.c.record == "person")
    others = (read_record(row.body) for row in connection.execute(which) if row.id not in people)
    return {one.site_id for one in others if isinstance(one, PersonRecord) and one.site_id}


def _differ(one: Any, other: Any, fields: Iterable[str]) -> bool:
    return one is None or any(getattr(one, name, None) != getattr(other, name, None) for name in fields)


def _seen_at(connection: Connection, sites: list[str], from_ms: int) -> set[str]:
    return set(codes.roots_of(connection, ledger.codes_seen_at(connection, sites, from_ms)).values())


def _day_ms(day: str) -> int:
    return day_start_ms(date.fromisoformat(day).toordinal())

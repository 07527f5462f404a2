"""The papers that make filling lawful: licences, number blocks, agreements, certificates, and an owner's right to trade."""

from datetime import date, timedelta
from uuid import UUID

from cylinder_trace.contract.master import OwnerRecord, PersonRecord
from cylinder_trace.simulator.calendar import at_hour, local_date, months_later, ms_of
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS
from cylinder_trace.simulator.world import Firm, Place, World, code_of


def issue(world: World) -> None:
    """Number blocks, licences for four years and the agreement, all granted well before the window.

    With faults, one licence lapses in the last days and one is renewed late, its station closed until then.
    """
    plan = world.plan
    granted = plan.start_ms - 320 * DAY_MS
    runs_to = months_later(local_date(granted), 48)
    north, south = world.firms[:2]
    for firm in world.firms:
        world.act(granted, "tag_block", owner_id=firm.owner_id,
                  code_from=code_of(firm, 1), code_to=code_of(firm, 899_999))  # fmt: skip
        for station in firm.stations:
            until = runs_to
            if plan.faults_of_each_kind and station is north.stations[1]:
                until = local_date(plan.end_ms - int((3.5 if plan.days >= 14 else 2.5) * DAY_MS))
                world.lapsed = station, ms_of(until, 24)
            elif plan.faults_of_each_kind and station is south.stations[1]:
                until = local_date(plan.start_ms + plan.days * DAY_MS // 2)
                renewed_ms = at_hour(plan.start_ms + plan.days * DAY_MS // 2, 10, days=2)
                station.closed.append((at_hour(renewed_ms, 0, days=-1), renewed_ms + HOUR_MS))
                renewed = _licence(world, firm, station, renewed_ms, runs_to + timedelta(days=365))
                world.renewed = station, renewed
            _licence(world, firm, station, granted, until)
    world.act(granted, "agreement", owner_id=north.owner_id, station_id=south.stations[0].site_id,
              valid_from=local_date(granted), valid_to=months_later(plan.end.date(), 12))  # fmt: skip


def _licence(world: World, firm: Firm, station: Place, at_ms: int, until: date) -> UUID:
    number = f"TS4231{firm.unit}-{until.year}"
    return world.act(at_ms, "licence", licensed_site_id=station.site_id, licence_no=number, media=firm.media,
                     valid_until=until)  # fmt: skip


def certify(world: World, station: Place, short: str, until: date, since: date | None = None) -> None:
    """A filler of a station whose certificate runs to a day; `since` is from when on the register says so."""
    world.records.append(
        PersonRecord(person_id=f"{station.site_id}-{short}", role="filler", site_id=station.site_id, valid_from=since,
                     certificate_no=f"TS6{station.site_id}{short}", certificate_valid_until=until)
    )  # fmt: skip


def guest_owner(world: World, number: str, until: date, renewed: tuple[date, date] | None = None) -> Firm:
    """A small owner without a station, licensed to a day; the northern firm fills and delivers for it.

    `renewed` is from when on its record says otherwise, and to which day.
    """
    north = world.firms[0]
    owner_id, station = f"OW{number}", north.stations[0]
    record = OwnerRecord(owner_id=owner_id, name=f"沪北代管气瓶{number}有限公司", districts=north.record.districts,
                         licence_valid_until=until)  # fmt: skip
    world.records.append(record)
    if renewed is not None:
        since, anew = renewed
        world.records.append(record.model_copy(update={"valid_from": since, "licence_valid_until": anew}))
    firm = Firm(record, north.media, f"{int(number):04}", [station], north.depots)
    granted = world.plan.start_ms - 320 * DAY_MS
    world.act(
        granted, "tag_block", owner_id=owner_id, code_from=code_of(firm, 1), code_to=code_of(firm, 899_999)
    )
    world.act(granted, "agreement", owner_id=owner_id, station_id=station.site_id,
              valid_from=local_date(granted), valid_to=months_later(world.plan.end.date(), 12))  # fmt: skip
    return firm

"""The papers that make filling lawful: licences, number blocks, and one agreement between firms."""

from datetime import date, timedelta
from uuid import UUID

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
    north, south, _industrial = world.firms
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

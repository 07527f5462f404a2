"""A small world for tests: two firms, their stations, a depot and customers; its events pass the real contract."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cylinder_trace import intake, sweep
from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.master import OwnerRecord, SiteRecord, SiteType
from cylinder_trace.contract.receipt import BatchReceipt
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.law.tables import load
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.store.tables import alert, cylinder, flow, leg, site_day

MONDAY_MS = 1_777_852_800_000
"""2026-05-04 08:00 in Shanghai; hours of the tests count from here."""

MINHANG, SONGJIANG = "310112", "310117"
STATION, OTHER_STATION, DEPOT = "station-1", "station-2", "depot-1"
OWNER, OTHER_OWNER = "firm-1", "firm-2"
CUSTOMERS = tuple(f"customer-{number}" for number in range(1, 7))
FAR_CUSTOMER = "customer-far"
DEVICE = "gun-1"
_OFFICE = frozenset(
    [
        "register",
        "update",
        "tag_bind",
        "tag_replace",
        "transfer",
        "correct",
        "licence",
        "agreement",
        "approval",
        "tag_block",
    ]
)
_numbers = count(1)
LAW = load()


def ms(hours: float) -> int:
    """Epoch milliseconds of so many hours after Monday morning."""
    return MONDAY_MS + round(hours * HOUR_MS)


def code(number: int) -> str:
    """The code of a cylinder."""
    return f"CT{number:06d}"


def made(kind: str, hours: float, **fields: Any) -> dict[str, Any]:
    """An event of this kind as it goes over the wire; a scan is made at the station unless `site_id` says otherwise."""
    number = next(_numbers)
    # Scattered, because ids of another device are in no order with ours.
    common: dict[str, Any] = {
        "kind": kind,
        "event_id": str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)),
        "occurred_at": moment_of(ms(hours)).isoformat(),
    }
    if kind not in _OFFICE:
        common |= {"site_id": STATION, "operator_id": "op-1", "device_id": DEVICE, "device_seq": number}
    return written(read_event(common | fields))


def registered(which: str, hours: float = -1000, **fields: Any) -> dict[str, Any]:
    """The registration of an LPG bottle of the first firm, good for years."""
    master = {
        "cylinder_class": "lpg_bottle",
        "medium": "lpg",
        "owner_id": OWNER,
        "model": "YSP35.5",
        "manufactured": "2022-01-10",
        "valid_until": "2028-01-31",
    }
    return made("register", hours, cylinder_code=which, cylinder=master | fields)


def filled(which: str, hours: float, **fields: Any) -> dict[str, Any]:
    """A fill of the right mass at the first station."""
    return made("fill", hours, **({"cylinder_code": which, "medium": "lpg", "gas_mass_kg": 14.5} | fields))


def checked(kind: str, which: str, hours: float, **fields: Any) -> dict[str, Any]:
    """A passed check."""
    return made(kind, hours, **({"cylinder_code": which, "result": "pass"} | fields))


def well_filled(which: str, hours: float) -> list[dict[str, Any]]:
    """A lawful fill with both its checks."""
    return [
        checked("fill_check", which, hours - 0.1),
        filled(which, hours),
        checked("post_check", which, hours + 0.1),
    ]


def moved(kind: str, which: str, hours: float, origin: str, goal: str) -> dict[str, Any]:
    """A movement, scanned where it begins; a receipt or return where it ends."""
    site = goal if kind in {"receive", "return"} else origin
    return made(kind, hours, cylinder_code=which, site_id=site, from_site=origin, to_site=goal)


def licensed(station: str, hours: float = -2000, valid_until: str = "2029-12-31") -> dict[str, Any]:
    """A licence for LPG."""
    fields = {"licence_no": "TS4231001-2029", "media": ["lpg"], "valid_until": valid_until}
    return made("licence", hours, licensed_site_id=station, **fields)


def agreed(owner: str, station: str, hours: float) -> dict[str, Any]:
    """An agreement that the station may fill the owner's cylinders in May."""
    return made(
        "agreement", hours, owner_id=owner, station_id=station, valid_from="2026-05-01", valid_to="2026-05-31"
    )


def corrected(event: dict[str, Any], hours: float) -> dict[str, Any]:
    """A correction: the event did not occur."""
    about = {"cylinder_code": event["cylinder_code"]} if "cylinder_code" in event else {}
    return made("correct", hours, corrects=event["event_id"], reason="did_not_occur", **about)


@dataclass
class World:
    """A database with the two firms' places in it, and both stations licensed unless `licences` says otherwise."""

    database: Database
    licences: bool = True

    def __post_init__(self) -> None:
        self.cache = ReferenceCache(LAW)
        with self.database.writing() as connection:
            parties.put_records(connection, _records())
        if self.licences:
            self.post([licensed(STATION), licensed(OTHER_STATION)])
            self.judge()

    def post(
        self,
        messages: list[Any],
        received_ms: int = MONDAY_MS,
        device_id: str | None = None,
        site_id: str = STATION,
        *,
        is_office: bool = False,
    ) -> BatchReceipt:
        """Record a batch, of a trusted import or of a device."""
        return intake.record(
            self.database, messages, moment_of(received_ms), device_id, site_id, is_office=is_office
        )

    def judge(self, hours: float = 0, limit: int = 5000) -> int:
        """Judge what waits."""
        return intake.judge(self.database, self.cache, ms(hours), limit)

    def sweep(self, hours: float) -> dict[str, int]:
        """Sweep as of a moment."""
        return sweep.run(self.database, self.cache, ms(hours))

    def alerts(self, status: str = "open") -> set[tuple[str, str]]:
        """Rule and subject of every alert of this status."""
        with self.database.reading() as connection:
            rows = connection.execute(select(alert.c.rule, alert.c.subject).where(alert.c.status == status))
            return {(row.rule, row.subject) for row in rows}

    def derived(self) -> dict[str, set[tuple[Any, ...]]]:
        """All that was made of the ledger: states, legs, flows, sites' days and open alerts with what they say."""
        said = [
            alert.c[name] for name in ("fingerprint", "rule", "subject", "anchor", "site_id", "at_ms", "body")
        ]
        # When it was judged is nothing that the events decide.
        judged_to = [column for column in cylinder.c if column.name != "changed_ms"]
        with self.database.reading() as connection:
            return {
                "cylinders": {tuple(row) for row in connection.execute(select(*judged_to))},
                "legs": {tuple(row) for row in connection.execute(select(leg))},
                "days": {tuple(row) for row in connection.execute(select(site_day))},
                "flows": {tuple(row) for row in connection.execute(select(flow))},
                "alerts": {
                    tuple(row) for row in connection.execute(select(*said).where(alert.c.status == "open"))
                },
            }


def _records() -> list[Any]:
    def site(site_id: str, kind: SiteType, owner: str | None, district: str = MINHANG) -> SiteRecord:
        return SiteRecord(site_id=site_id, name=f"{site_id} 点", type=kind, owner_id=owner, district=district)

    return [
        OwnerRecord(owner_id=OWNER, name="第一燃气", districts=(MINHANG,)),
        OwnerRecord(owner_id=OTHER_OWNER, name="第二燃气"),
        site(STATION, "filling_station", OWNER),
        site(OTHER_STATION, "filling_station", OTHER_OWNER, SONGJIANG),
        site(DEPOT, "depot", OWNER),
        *(site(one, "customer", None) for one in CUSTOMERS),
        site(FAR_CUSTOMER, "customer", None, SONGJIANG),
    ]

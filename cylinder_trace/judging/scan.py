"""An event as the judge sees it: plain integers and strings, nothing to look up and nothing to convert."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import Struct, convert
from msgspec.json import Decoder

from cylinder_trace.contract.code import parse_code
from cylinder_trace.contract.fields import epoch_ms

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_DAY_0_MS = date(1970, 1, 1).toordinal() * DAY_MS + 8 * HOUR_MS
"""From midnight in Shanghai of the day that `date.toordinal` counts as 0 to 1970 UTC."""


MOVEMENTS = frozenset({"ship", "receive", "deliver", "return"})
"""Kinds that take a cylinder from one site to another."""


SCANS = MOVEMENTS | {"fill_check", "override", "fill", "post_check", "inspect", "repair", "observe"}
"""Kinds that are made with the cylinder at hand; the others are entered at a desk."""


def local_day(ms: int) -> int:
    """The day number (`date.toordinal`) in Shanghai, which has kept UTC+8 without summer time since 1991."""
    return (ms + _DAY_0_MS) // DAY_MS


def day_start_ms(day: int) -> int:
    """Midnight in Shanghai at which a day of `local_day` begins."""
    return day * DAY_MS - _DAY_0_MS


def overruled(corrections: Mapping[str, str]) -> set[str]:
    """The ids of events that corrections (id to the id it corrects) declare wrong; a corrected correction counts for nothing.

    What counts is which corrects which, never a clock: two devices' clocks differ. Corrections that correct each
    other in a ring cancel out.
    """
    unsettled = Counter(corrections.values())
    settled = [one for one in corrections if one not in unsettled]
    void: set[str] = set()
    while settled:
        one = settled.pop()
        target = corrections[one]
        if one not in void:
            void.add(target)
        unsettled[target] -= 1
        if unsettled[target] == 0 and target in corrections:
            settled.append(target)
    return void


IN_ORDER = attrgetter("at_ms", "event_id")
"""Sorts scans in the order they happened."""

# How the contract calls what the judge calls otherwise. A sub-class does not take it over.
_WIRE_NAMES = {
    "site": "site_id",
    "device": "device_id",
    "seq": "device_seq",
    "operator": "operator_id",
    "gun": "gun_id",
    "new_owner": "new_owner_id",
    "master": "cylinder",
    "rules": "overrides",
}


class Scan(Struct, eq=False, gc=False, rename=_WIRE_NAMES):
    """One event of one cylinder. Fields that its kind does not have are None.

    `code` is the canonical code that was scanned; `net_g` is the gas mass, `gross_g` what the scale showed with the
    bottle; `master` holds register fields; `rules` are those that an override overrode. `received_ms` is None where
    nobody has received it yet: at a rehearsal.
    """

    kind: str
    event_id: str
    at_ms: int = 0
    code: str = ""
    site: str | None = None
    received_ms: int | None = None
    device: str | None = None
    seq: int | None = None
    operator: str | None = None
    entry: str | None = None
    medium: str | None = None
    result: str | None = None
    gun: str | None = None
    gun_count: int | None = None
    net_g: int | None = None
    gross_g: int | None = None
    pressure_kpa: int | None = None
    from_site: str | None = None
    to_site: str | None = None
    waybill: str | None = None
    standby: bool = False
    valid_until_day: int | None = None
    master: dict[str, Any] | None = None
    new_owner: str | None = None
    new_code: str | None = None
    corrects: str | None = None
    rules: tuple[str, ...] = ()
    reason: str | None = None
    approved_by: str | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Where the event stands in its story: when it happened, then its id."""
        return self.at_ms, self.event_id

    @classmethod
    def of(cls, message: Mapping[str, Any], received_ms: int | None = None) -> "Scan":
        """Read an event's JSON object as the contract writes it."""
        at_ms = epoch_ms(datetime.fromisoformat(message["occurred_at"]))
        return _placed(convert(message, _Written), at_ms, received_ms, _canonical(message["cylinder_code"]))

    @classmethod
    def read(cls, body: str, at_ms: int, received_ms: int | None, code: str) -> "Scan":
        """Read an event on record: its JSON text, with what is known of it already."""
        return _placed(_read(body), at_ms, received_ms, code)


class _Written(Scan, eq=False, gc=False, rename=_WIRE_NAMES):
    """With what the contract writes in other units than the judge's."""

    gas_mass_kg: float | None = None
    gross_kg: float | None = None
    tare_kg: float | None = None
    pressure_mpa: float | None = None
    standby_reason: str | None = None
    valid_until: str | None = None


# Read straight into the fields, in a fifth of the time that a dictionary between would take.
_read = Decoder(_Written).decode


def _placed(scan: _Written, at_ms: int, received_ms: int | None, code: str) -> Scan:
    scan.at_ms, scan.received_ms, scan.code = at_ms, received_ms, code
    kind = scan.kind
    if kind == "fill":
        _weigh(scan)
    elif kind in MOVEMENTS:
        scan.standby = scan.standby_reason is not None
    else:
        if scan.new_code is not None:
            scan.new_code = _canonical(scan.new_code)
        if scan.valid_until is not None:
            scan.valid_until_day = date.fromisoformat(scan.valid_until).toordinal()
    return scan


def _weigh(scan: _Written) -> None:
    mass_kg = scan.gas_mass_kg
    if scan.gross_kg is not None:
        scan.gross_g = round(scan.gross_kg * 1000)
    if scan.gross_kg is not None and scan.tare_kg is not None:
        # The larger of what was filled in and what the scale shows: gas that was in it before counts too.
        mass_kg = max(scan.gross_kg - scan.tare_kg, mass_kg or 0.0)
    if mass_kg is not None:
        scan.net_g = round(mass_kg * 1000)
    if scan.pressure_mpa is not None:
        scan.pressure_kpa = round(scan.pressure_mpa * 1000)


@lru_cache(maxsize=4096)
def _canonical(label: str) -> str:
    # A cylinder's label is read again and again while its story is told.
    return parse_code(label).text

"""An event as the judge sees it: plain integers and strings, nothing to look up and nothing to convert."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

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


class Scan:
    """One event of one cylinder. Fields that its kind does not have are None.

    `code` is the canonical code that was scanned; `net_g` is the gas mass; `master` holds register fields; `rules` are
    those that an override overrode. `received_ms` is None where nobody has received it yet: at a rehearsal.
    """

    __slots__ = (
        "approved_by",
        "at_ms",
        "code",
        "corrects",
        "device",
        "entry",
        "event_id",
        "from_site",
        "gun",
        "gun_count",
        "kind",
        "master",
        "medium",
        "net_g",
        "new_code",
        "new_owner",
        "operator",
        "pressure_kpa",
        "reason",
        "received_ms",
        "result",
        "rules",
        "seq",
        "site",
        "standby",
        "to_site",
        "valid_until_day",
        "waybill",
    )

    def __init__(self, kind: str, event_id: str, at_ms: int, code: str, site: str | None = None) -> None:
        self.kind = kind
        self.event_id = event_id
        self.at_ms = at_ms
        self.code = code
        self.site = site
        self.received_ms: int | None = None
        self.device: str | None = None
        self.seq: int | None = None
        self.operator: str | None = None
        self.entry: str | None = None
        self.medium: str | None = None
        self.result: str | None = None
        self.gun: str | None = None
        self.gun_count: int | None = None
        self.net_g: int | None = None
        self.pressure_kpa: int | None = None
        self.from_site: str | None = None
        self.to_site: str | None = None
        self.waybill: str | None = None
        self.standby = False
        self.valid_until_day: int | None = None
        self.master: Mapping[str, Any] | None = None
        self.new_owner: str | None = None
        self.new_code: str | None = None
        self.corrects: str | None = None
        self.rules: tuple[str, ...] = ()
        self.reason: str | None = None
        self.approved_by: str | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Where the event stands in its story: when it happened, then its id."""
        return self.at_ms, self.event_id

    @classmethod
    def of(
        cls,
        message: Mapping[str, Any],
        at_ms: int | None = None,
        received_ms: int | None = None,
        code: str | None = None,
    ) -> "Scan":
        """Read an event's JSON object as the contract writes it; `at_ms` and `code` spare reading them again."""
        if at_ms is None:
            at_ms = epoch_ms(datetime.fromisoformat(message["occurred_at"]))
        get = message.get
        kind = message["kind"]
        scan = cls(
            kind, message["event_id"], at_ms, code or _canonical(message["cylinder_code"]), get("site_id")
        )
        scan.received_ms = received_ms
        scan.device = get("device_id")
        scan.seq = get("device_seq")
        scan.operator = get("operator_id")
        scan.entry = get("entry")
        if kind in MOVEMENTS:
            scan.from_site, scan.to_site = message["from_site"], message["to_site"]
            scan.waybill = get("waybill")
            scan.standby = "standby_reason" in message
        elif kind in _OF_A_FILL:
            scan.medium, scan.result = get("medium"), get("result")
            if kind == "fill":
                scan._read_fill(get)
        else:
            scan._read_rest(message)
        return scan

    def _read_fill(self, get: Callable[[str], Any]) -> None:
        self.gun, self.gun_count = get("gun_id"), get("gun_count")
        mass_kg, gross_kg, tare_kg = get("gas_mass_kg"), get("gross_kg"), get("tare_kg")
        if gross_kg is not None and tare_kg is not None:
            # The larger of what was filled in and what the scale shows: gas that was in it before counts too.
            mass_kg = max(gross_kg - tare_kg, mass_kg or 0.0)
        if mass_kg is not None:
            self.net_g = round(mass_kg * 1000)
        pressure_mpa = get("pressure_mpa")
        if pressure_mpa is not None:
            self.pressure_kpa = round(pressure_mpa * 1000)

    def _read_rest(self, message: Mapping[str, Any]) -> None:
        get = message.get
        self.result = get("result")
        self.new_owner = get("new_owner_id")
        self.corrects = get("corrects")
        self.master = get("cylinder")
        if overridden := get("overrides"):
            self.rules, self.approved_by = tuple(overridden), get("approved_by")
        self.reason = get("reason")
        if "new_code" in message:
            self.new_code = _canonical(message["new_code"])
        if "valid_until" in message:
            self.valid_until_day = date.fromisoformat(message["valid_until"]).toordinal()


_OF_A_FILL = frozenset({"fill_check", "fill", "post_check"})


@lru_cache(maxsize=4096)
def _canonical(label: str) -> str:
    # A cylinder's label is read again and again while its story is told.
    return parse_code(label).text

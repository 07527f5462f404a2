"""An event as the judge sees it: plain integers and strings, nothing to look up and nothing to convert."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
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


SCANS = MOVEMENTS | {"fill_check", "fill", "post_check", "inspect", "repair", "observe"}
"""Kinds that are made with the cylinder at hand; the others are entered at a desk."""


def local_day(ms: int) -> int:
    """The day number (`date.toordinal`) in Shanghai, which has kept UTC+8 without summer time since 1991."""
    return (ms + _DAY_0_MS) // DAY_MS


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

    `code` is the canonical code that was scanned; `net_g` is the gas mass; `master` holds register fields.
    """

    __slots__ = (
        "at_ms",
        "code",
        "corrects",
        "event_id",
        "from_site",
        "kind",
        "master",
        "medium",
        "net_g",
        "new_code",
        "new_owner",
        "operator",
        "pressure_kpa",
        "result",
        "site",
        "to_site",
        "valid_until_day",
    )

    def __init__(self, kind: str, event_id: str, at_ms: int, code: str, site: str | None = None) -> None:
        self.kind = kind
        self.event_id = event_id
        self.at_ms = at_ms
        self.code = code
        self.site = site
        self.operator: str | None = None
        self.medium: str | None = None
        self.result: str | None = None
        self.net_g: int | None = None
        self.pressure_kpa: int | None = None
        self.from_site: str | None = None
        self.to_site: str | None = None
        self.valid_until_day: int | None = None
        self.master: Mapping[str, Any] | None = None
        self.new_owner: str | None = None
        self.new_code: str | None = None
        self.corrects: str | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Where the event stands in its story: when it happened, then its id."""
        return self.at_ms, self.event_id

    @classmethod
    def of(cls, message: Mapping[str, Any], at_ms: int | None = None) -> "Scan":
        """Read an event's JSON object as the contract writes it; `at_ms` spares reading its time again."""
        if at_ms is None:
            at_ms = epoch_ms(datetime.fromisoformat(message["occurred_at"]))
        get = message.get
        code = parse_code(message["cylinder_code"]).text
        scan = cls(message["kind"], message["event_id"], at_ms, code, get("site_id"))
        scan.operator = get("operator_id")
        scan.medium = get("medium")
        scan.result = get("result")
        scan.from_site = get("from_site")
        scan.to_site = get("to_site")
        scan.new_owner = get("new_owner_id")
        scan.corrects = get("corrects")
        scan.master = get("cylinder")
        if "new_code" in message:
            scan.new_code = parse_code(message["new_code"]).text
        if "valid_until" in message:
            scan.valid_until_day = date.fromisoformat(message["valid_until"]).toordinal()
        # The larger of what was filled in and what the scale shows: gas that was in it before counts too.
        masses = [message["gas_mass_kg"]] if "gas_mass_kg" in message else []
        if "gross_kg" in message and "tare_kg" in message:
            masses.append(message["gross_kg"] - message["tare_kg"])
        if masses:
            scan.net_g = round(max(masses) * 1000)
        if "pressure_mpa" in message:
            scan.pressure_kpa = round(message["pressure_mpa"] * 1000)
        return scan

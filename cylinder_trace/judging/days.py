"""A site's day: all that was scanned there on one local day, in the order it happened, and its tally.

What a correction declares wrong does not count; only its number in its device's count does, for it was heard.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from cylinder_trace.judging.clocks import steadily_behind
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import (
    DAY_MS,
    HOUR_MS,
    IN_ORDER,
    MINUTE_MS,
    MOVEMENTS,
    SCANS,
    Scan,
    day_start_ms,
    local_day,
)
from cylinder_trace.judging.tally import Dated, DeviceDay, Tally, ranges
from cylinder_trace.law.tables import Law

EVIDENCE = frozenset({"double_fill"})
"""Rules over one cylinder whose findings are counted at the site and day they lie at."""

MOST_NAMED = 50
"""Events named as evidence of one finding; the count is always whole."""

_FEW = 10
"""Ids kept in a tally for each thing."""

_A_SESSION_MS = HOUR_MS
"""Scans sent within this time of each other went up together, in whatever order."""


@dataclass
class SiteDay:
    """One site on one day. `scans` and `void` (declared wrong) are in the order they happened.

    `evidence` are, by rule, the deciding events of what was found about cylinders there that day; `gone` and `come`
    the events that showed a cylinder to have left the site, or come to it, without any scan.
    """

    site: str
    day: int
    scans: Sequence[Scan]
    void: Sequence[Scan] = ()
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gone: Sequence[str] = ()
    come: Sequence[str] = ()
    _dark: tuple[list[Dated], list[Dated]] | None = field(default=None, init=False, repr=False)

    def of(self, kind: str) -> Sequence[Scan]:
        """The scans of one kind."""
        return self._by_kind.get(kind, ())

    def by_device(self, kind: str | None = None) -> dict[str, list[Scan]]:
        """The scans, or those of one kind, by the device that made them."""
        return self._by_device if kind is None else _by_device(self.of(kind))

    @cached_property
    def _by_kind(self) -> dict[str, list[Scan]]:
        found: dict[str, list[Scan]] = defaultdict(list)
        for scan in self.scans:
            found[scan.kind].append(scan)
        return dict(found)

    @cached_property
    def _by_device(self) -> dict[str, list[Scan]]:
        return _by_device(self.scans)

    @property
    def name(self) -> str:
        """The day as a date, for anchors."""
        return day_name(self.day)


def _by_device(scans: Iterable[Scan]) -> dict[str, list[Scan]]:
    found: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        if scan.device is not None:
            found[scan.device].append(scan)
    return found


def day_name(day: int) -> str:
    """A local day as an ISO date."""
    return date.fromordinal(day).isoformat()


def tallied(site_day: SiteDay, reference: Reference) -> Tally | None:
    """The day in numbers; None where nothing happened."""
    heard = [*site_day.scans, *site_day.void]
    if not heard and not site_day.gone and not site_day.come:
        return None
    scans = site_day.scans
    fills, inspections, delivers = (site_day.of(kind) for kind in ("fill", "inspect", "deliver"))
    keyed = [scan for scan in scans if scan.entry == "keyed"]
    before, after = dark_fills(site_day, reference)
    first = min(heard, key=IN_ORDER, default=None)
    tally = Tally(
        first=first.event_id if first else "",
        first_ms=first.at_ms if first else 0,
        scanned=sum(scan.entry == "scanned" for scan in scans),
        keyed=len(keyed),
        first_keyed=_first(keyed),
        fills=len(fills),
        first_fill=_first(fills),
        delivers=len(delivers),
        first_deliver=_first(delivers),
        movements=sum(len(site_day.of(kind)) for kind in MOVEMENTS),
        taken_in=sum(len(site_day.of(kind)) for kind in ("receive", "return")),
        sent_out=sum(len(site_day.of(kind)) for kind in ("ship", "deliver")),
        checks=len(site_day.of("fill_check")),
        failed_checks=sum(scan.result != "pass" for scan in site_day.of("fill_check")),
        post_checks=len(site_day.of("post_check")),
        failed_post_checks=sum(scan.result != "pass" for scan in site_day.of("post_check")),
        inspected=len(inspections),
        failed=sum(scan.result != "pass" for scan in inspections),
        first_inspect=_first(inspections),
        double_fills=len(site_day.evidence.get("double_fill", ())),
        jumps_in=len(site_day.come),
        jumps_out=len(site_day.gone),
        gone=tuple(site_day.gone[:_FEW]),
        come=tuple(site_day.come[:_FEW]),
        before_opening=tuple(before[:MOST_NAMED]),
        after_closing=tuple(after[:MOST_NAMED]),
        masses=_masses(fills, reference),
        people=tuple(sorted({scan.operator for scan in scans if scan.operator})),
    )
    counts: dict[str, list[int]] = defaultdict(list)
    for scan in (*fills, *(one for one in site_day.void if one.kind == "fill")):
        if scan.gun is not None and scan.gun_count is not None:
            counts[scan.gun].append(scan.gun_count)
    tally.guns = {gun: ranges(its) for gun, its in sorted(counts.items())}
    # A desk's device numbers acts that are about no site too.
    tally.devices = {
        device: _of_device(its, reference)
        for device, its in sorted((_by_device(heard) if site_day.void else site_day.by_device()).items())
        if any(scan.kind in SCANS for scan in its)
    }
    return tally


def dark_fills(site_day: SiteDay, reference: Reference) -> tuple[list[Dated], list[Dated]]:
    """The fills of the day that lie outside the declared hours by more than clocks err: before noon, and after it."""
    if site_day._dark is None:
        site_day._dark = _dark_fills(site_day, reference)
    return site_day._dark


def _dark_fills(site_day: SiteDay, reference: Reference) -> tuple[list[Dated], list[Dated]]:
    noon_ms, fills = day_start_ms(site_day.day) + DAY_MS // 2, site_day.of("fill")
    if not fills or reference.is_open(site_day.site, noon_ms) is None:
        return [], []
    err_ms = int(reference.number("night_fill.clock_tolerance_min", noon_ms) * MINUTE_MS)
    found: tuple[list[Dated], list[Dated]] = [], []
    for scan in fills:
        around = (scan.at_ms, scan.at_ms - err_ms, scan.at_ms + err_ms)
        if not any(reference.is_open(site_day.site, at_ms) for at_ms in around):
            found[scan.at_ms >= noon_ms].append((scan.at_ms, scan.event_id))
    return found


def sizes_g(reference: Reference, at_ms: int) -> Sequence[tuple[int, str]]:
    """What each LPG model may hold in grams, and its name: the lightest first."""
    return _sizes_g(reference.law, local_day(at_ms))


@lru_cache(maxsize=1024)
def _sizes_g(law: Law, day: int) -> tuple[tuple[int, str], ...]:
    models = {row.text("model") for row in law.rows() if row.table == "lpg_models"}
    allowed = ((law.allowed_gas_mass_kg(model, None, date.fromordinal(day)), model) for model in models)
    return tuple(sorted((round(one.value_kg * 1000), model) for one, model in allowed if one is not None))


def size_of(scan: Scan, sizes: Sequence[tuple[int, str]]) -> str | None:
    """The model whose allowed mass lies nearest to what was filled in, for a fill names none; None for other gases."""
    net_g = scan.net_g
    if scan.medium != "lpg" or not net_g or not sizes:
        return None
    heavier = bisect_left(sizes, (net_g, ""))
    near = sizes[max(heavier - 1, 0) : heavier + 1]
    return min((abs(grams - net_g), grams, model) for grams, model in near)[2]


def _masses(fills: Sequence[Scan], reference: Reference) -> dict[str, tuple[int, int, int]]:
    masses: dict[str, tuple[int, int, int]] = {}
    sizes = sizes_g(reference, fills[0].at_ms) if fills else []
    for scan in fills:
        size = size_of(scan, sizes)
        if size is not None and scan.net_g is not None:
            n, total, squares = masses.get(size, (0, 0, 0))
            masses[size] = n + 1, total + scan.net_g, squares + scan.net_g**2
    return dict(sorted(masses.items()))


def _of_device(scans: Sequence[Scan], reference: Reference) -> DeviceDay:
    """`scans` of one device on one day, in any order."""
    scans = sorted(scans, key=IN_ORDER)
    made = DeviceDay(ranges(scan.seq for scan in scans if scan.seq is not None), scans[-1].event_id)
    received = [scan.received_ms for scan in scans if scan.received_ms is not None]
    if len(received) < len(scans):
        return made
    made.first_received_ms = min(received)
    late_ms = reference.number("backdated_upload.late_h", scans[-1].at_ms) * HOUR_MS
    enough = int(reference.number("backdated_upload.events", scans[-1].at_ms))
    late = [scan for scan in scans if (scan.received_ms or 0) - scan.at_ms > late_ms]
    if len(late) >= enough:
        made.late_received_ms = sorted(scan.received_ms or 0 for scan in late)[-enough]
        since_ms = made.late_received_ms
        ids = [scan.event_id for scan in late if (scan.received_ms or 0) >= since_ms]
        made.late = tuple(ids[:_FEW])
        made.proved = _sent_later_ones_before(scans, late) >= enough
    made.overnight = tuple(_overnight(scans, reference)[:MOST_NAMED])
    return made


def _overnight(scans: Sequence[Scan], reference: Reference) -> list[tuple[int, int, str]]:
    """The runs of numbers that were received on a later day, but for those that a slow clock dated."""
    late_ms = reference.number("backdated_scan.late_h", scans[-1].at_ms) * HOUR_MS
    late = {
        scan.seq: scan
        for scan in scans
        if scan.seq is not None
        and (scan.received_ms or 0) - scan.at_ms > late_ms
        and local_day(scan.received_ms or 0) > local_day(scan.at_ms)
    }
    if late:
        for scan in steadily_behind(scans, reference):
            if scan.seq is not None:
                late.pop(scan.seq, None)
    return [
        (first, max(late[one].received_ms or 0 for one in range(first, last + 1)), late[first].event_id)
        for first, last in ranges(late)
    ]


def _sent_later_ones_before(scans: Sequence[Scan], late: Sequence[Scan]) -> int:
    """How many of the late scans were sent after scans that the device had made after them."""
    of_late = {scan.event_id for scan in late}
    earliest_ms, proved = 2**62, 0
    for scan in reversed(scans):
        received_ms = scan.received_ms or 0
        proved += scan.event_id in of_late and earliest_ms < received_ms - _A_SESSION_MS
        earliest_ms = min(earliest_ms, received_ms)
    return proved


def was_sent_before(first_ms: int | None, late_ms: int) -> bool:
    """Whether something was sent in an earlier session than the late scans."""
    return first_ms is not None and first_ms < late_ms - _A_SESSION_MS


def _first(scans: Sequence[Scan]) -> str:
    return scans[0].event_id if scans else ""

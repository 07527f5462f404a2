"""Finds devices that lost scans, and guns that filled what nobody scanned (扫码缺失).

Why it matters: a device numbers its scans and a gun its fills; a number that never comes is a scan that was taken away,
or a bottle that was filled past the ledger.
Example: a gun's count rises by forty between two scanned fills.
Source: TSG 07-2019 D2.1, 安全生产法 art. 36; thresholds scan_gap.*. Numbers that never came before others of at least so many
days ago, over two weeks: at least so many, and at least such a share. A count that falls began anew; one that rises is
a gap, however large. One alert a device and month, and a station's gun and month.
"""

from collections.abc import Iterator, Sequence

from cylinder_trace.judging.days import MOST_NAMED, day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.tally import Range
from cylinder_trace.judging.windows import DeviceWindow, SiteWindow, gaps, run_on


def of_device(window: DeviceWindow, reference: Reference) -> Iterator[Finding]:
    heard = [(day, did.heard) for day, at_sites in sorted(window.days.items()) for _, did in at_sites]
    missing = _missing(heard, window.day, window.at_ms, reference, "scan_gap.share")
    if missing:
        ids = {day: did.last for day, at_sites in window.days.items() for _, did in at_sites}
        where = min(site for site, _ in window.days[missing[-1][0]])
        evidence = tuple(ids[day] for day in sorted({day for day, _ in missing}, reverse=True))
        facts: dict[str, Fact] = {
            "counter": window.device,
            "site": where,
            "missing": sum(number for _, number in missing),
            "zh": "设备",
            "en": "The scans of device",
        }
        month = day_name(window.day)[:7]
        yield Finding(RULE.name, window.device, month, window.at_ms, where, evidence[:MOST_NAMED], facts)


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    guns = sorted({gun for tally in window.days.values() for gun in tally.guns})
    for gun in guns:
        if reference.home_of_gun(gun, window.site, window.at_ms) != window.site:
            continue  # lent or named by mistake: what it filled in between, it filled at home
        heard = [(day, tally.guns[gun]) for day, tally in sorted(window.days.items()) if gun in tally.guns]
        missing = _missing(heard, window.day, window.at_ms, reference, "scan_gap.gun_share")
        if missing:
            days = sorted({day for day, _ in missing}, reverse=True)
            evidence = tuple(window.days[day].first_fill for day in days if window.days[day].first_fill)
            facts: dict[str, Fact] = {
                "counter": gun,
                "site": window.site,
                "missing": sum(number for _, number in missing),
                "zh": "充装枪",
                "en": "The fills of gun",
            }
            # Many stations number their guns from one on.
            anchor = f"{window.site}:{window.month}"
            yield Finding(RULE.name, gun, anchor, window.at_ms, window.site, evidence[:MOST_NAMED], facts)


def _missing(
    heard: Sequence[tuple[int, Sequence[Range]]], day: int, at_ms: int, reference: Reference, share: str
) -> list[tuple[int, int]]:
    """The gaps of the last weeks, by day, where they are many; empty where they are not."""
    if run_on(heard):
        return []
    until = day - int(reference.number("scan_gap.wait_days", at_ms))
    since = day - int(reference.number("scan_gap.window_days", at_ms))
    found = [gap for gap in gaps(heard, until) if gap[0] > since]
    missing = sum(number for _, number in found)
    there = sum(last - first + 1 for on, its in heard if since < on <= until for first, last in its)
    many = missing >= reference.number("scan_gap.events", at_ms)
    return found if many and missing >= reference.number(share, at_ms) * (there + missing) else []


RULE = SiteRule(
    name="scan_gap",
    severity=2,
    laws=("TSG07-2019.D2.1", "安全生产法.36"),
    of_device=of_device,
    in_window=in_window,
    words=Wording(
        title=("扫码缺失", "Scans missing"),
        fact=(
            "{site} 的{zh} {counter} 两周内缺 {missing} 个序号，至今未上传。",
            "{en} {counter} of {site} lack {missing} within two weeks, which never came.",
        ),
        remedy=(
            "调取设备和充装秤的原始记录，责令补传并说明。",
            "Get the device's and the scale's own logs; have the rest sent and explained.",
        ),
        innocent=(
            "设备损坏，未上传的记录丢失；缺号上千的，也可能是更换了计数器。",
            "The device broke, and what it had not sent is lost; or, of a thousand and more, the counter was replaced.",
        ),
        settles=(
            "设备存储或充装秤自身的记录；更换计数器的维修单。",
            "The device's memory, or the scale's own log; the repair slip of a counter that was replaced.",
        ),
    ),
)

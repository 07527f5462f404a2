"""Finds sites that key in far more codes by hand than others (手工录码过多).

Why it matters: a code that is keyed needs no bottle; codes of bottles that are elsewhere are keyed from a list.
Example: one scan in four is keyed at a depot, while one in fifty is in the rest of the city.
Source: GB/T 38059-2019; thresholds manual_codes.*. Over four weeks the share is above a multiple of the median of the city's
sites, and above a floor. One alert a site and month.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    if not (window.today and window.today.keyed):
        return
    fewest = int(reference.number("manual_codes.scans", window.at_ms))
    keyed = window.total("keyed")
    told = keyed + window.total("scanned")
    if told < fewest:
        return
    if keyed / told <= reference.number("manual_codes.floor_share", window.at_ms):
        return  # whatever the city's others do
    median = window.city.keyed_median(fewest)
    if keyed / told > median * reference.number("manual_codes.city_median_factor", window.at_ms):
        facts: dict[str, Fact] = {
            "site": window.site,
            "keyed": keyed,
            "percent": round(100 * keyed / told, 1),
            "city_percent": round(100 * median, 1),
        }
        ids = tuple(window.named("first_keyed")[:MOST_NAMED])
        yield Finding(RULE.name, window.site, window.month, window.at_ms, window.site, ids, facts)


RULE = SiteRule(
    name="manual_codes",
    severity=3,
    laws=("GBT38059-2019", "TSG07-2019.D2.1"),
    in_window=in_window,
    words=Wording(
        title=("手工录码过多", "Too many codes keyed by hand"),
        fact=(
            "{site} 四周手工录码 {keyed} 次，占 {percent}%；全市中位数 {city_percent}%。",
            "{site} keyed {keyed} codes by hand in four weeks, {percent} %; the city's median is {city_percent} %.",
        ),
        remedy=(
            "现场检查扫码设备和瓶身标签，抽查所录气瓶是否在场。",
            "Check scanners and labels; see whether the bottles are there.",
        ),
        innocent=("一批标签破损，或扫码枪故障。", "A batch of damaged labels, or a broken scanner."),
        settles=("所录气瓶标签的照片。", "Photos of the labels that were keyed."),
    ),
)

"""Finds stations that fill too little all the time (缺斤少两).

Why it matters: customers pay for gas they do not get, and what is saved is sold elsewhere.
Example: over 300 fills a station puts 1.2 kg less into its bottles than the city's others do.
Source: 特种设备安全法 art. 49; thresholds short_weight.*. Over four weeks and at least so many fills of one size, the mean lies
below the nominal mass by more than a scale may err, with a one-sided t above the threshold. Nominal is what half the city's
stations fill, or more than half of its fills are, whichever is more: many small stations that fill short do not make it
usual, nor does a large one. It is at most what the model may hold; where fewer than three stations fill that size, a share
of that, for nobody fills to the brim. One alert a station and month.
"""

from collections.abc import Iterator
from math import sqrt

from cylinder_trace.judging.days import MOST_NAMED, sizes_g
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow, weighed

_ENOUGH_FOR_A_MEAN = 30
"""Fills with which a station has a say in what is usual: it accuses nobody by that."""


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    today = window.today
    if today is None or not today.masses:
        return
    at_ms = window.at_ms
    fewest = int(reference.number("short_weight.fills", at_ms))
    for allowed_g, size in sizes_g(reference, at_ms):
        if size not in today.masses:
            continue
        n, total, squares = weighed(window.days.values(), size)
        if n < fewest:
            continue
        mean_g = total / n
        error_g = sqrt(max(squares / n - mean_g**2, 1) / n)
        may_err_g = reference.number("overfill.mass_tolerance_kg", at_ms) * 1000
        least_t = reference.number("short_weight.t", at_ms)
        if (allowed_g - may_err_g - mean_g) / error_g <= least_t:
            continue  # whatever the city's others fill in
        usual_g = window.city.usual_mass_g(size, _ENOUGH_FOR_A_MEAN)
        if usual_g is None:
            usual_g = allowed_g * reference.number("short_weight.filled_share", at_ms)
        nominal_g = min(usual_g, allowed_g)
        if (nominal_g - may_err_g - mean_g) / error_g > least_t:
            facts: dict[str, Fact] = {
                "station": window.site,
                "fills": n,
                "model": size,
                "mean_kg": round(mean_g / 1000, 2),
                "nominal_kg": round(nominal_g / 1000, 2),
            }
            ids = tuple(window.named("first_fill")[:MOST_NAMED])
            yield Finding(RULE.name, window.site, window.month, at_ms, window.site, ids, facts)
            return


RULE = SiteRule(
    name="short_weight",
    severity=3,
    laws=("特种设备安全法.49",),
    in_window=in_window,
    words=Wording(
        title=("充装量长期不足", "Short weight"),
        fact=(
            "{station} 四周充装 {model} {fills} 次，平均 {mean_kg} kg，低于通常的 {nominal_kg} kg。",
            "{station} filled {model} {fills} times in four weeks with {mean_kg} kg on average; {nominal_kg} kg is usual.",
        ),
        remedy=("抽检复称，检定充装秤。", "Weigh a sample again and have the scale verified."),
        innocent=(
            "另一种规格或另一种标称充装量的气瓶。",
            "Bottles of another size or another nominal filling.",
        ),
        settles=(
            "抽检气瓶的实际净重与秤的检定证书。",
            "The net mass of a sample, and the scale's certificate.",
        ),
    ),
)

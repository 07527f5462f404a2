"""What the rules over several days look at: a site's tallies day by day, a device's, a person's day at several sites.

A window ends with a local day that is over and reaches back over `DAYS` days, that day included.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, combinations
from statistics import median

from cylinder_trace.judging.days import day_name
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import Scan, day_start_ms
from cylinder_trace.judging.tally import DeviceDay, Range, Tally

DAYS = 28
"""How far a window reaches back."""

Tallies = Mapping[str, Mapping[int, Tally]]
"""By site, by day."""


@dataclass(slots=True)
class City:
    """All sites in one window. Sums and medians are made once and kept."""

    day: int
    of: Tallies
    _sums: dict[tuple[str, int], int] = field(default_factory=dict)
    _shares: dict[str, float] = field(default_factory=dict)

    @classmethod
    def ending(cls, day: int, tallies: Tallies) -> "City":
        """The window that ends with a day, of sites' tallies of any days; sites that did nothing in it are absent."""
        first = day - DAYS + 1
        seen = {
            site: {one: tally for one, tally in its.items() if first <= one <= day}
            for site, its in tallies.items()
        }
        return cls(day, {site: its for site, its in seen.items() if its})

    @property
    def at_ms(self) -> int:
        """The last moment of the window."""
        return day_start_ms(self.day + 1) - 1

    def on(self, what: str, day: int) -> int:
        """A counter of the tally over all sites on one day."""
        asked = what, day
        if asked not in self._sums:
            of_day = (its[day] for its in self.of.values() if day in its)
            self._sums[asked] = sum(getattr(tally, what) for tally in of_day)
        return self._sums[asked]

    def total(self, what: str) -> int:
        """A counter over all sites and days."""
        return sum(self.on(what, day) for day in range(self.day - DAYS + 1, self.day + 1))

    def keyed_median(self, fewest: int) -> float:
        """The median share of codes keyed by hand, of the sites with enough scans."""
        if "keyed" not in self._shares:
            shares = []
            for its in self.of.values():
                keyed = sum(tally.keyed for tally in its.values())
                told = keyed + sum(tally.scanned for tally in its.values())
                if told >= fewest:
                    shares.append(keyed / told)
            self._shares["keyed"] = median(shares) if shares else 0.0
        return self._shares["keyed"]

    def usual_mass_g(self, size: str, fewest: int) -> float | None:
        """What the sites fill into bottles of a size: the median of the sites' means, or of these with each counting as
        often as the site filled, whichever is more; None where fewer than three fill enough."""
        if size not in self._shares:
            means = []
            for its in self.of.values():
                n, total, _ = weighed(its.values(), size)
                if n >= fewest:
                    means.append((total / n, n))
            self._shares[size] = _usual(means) if len(means) >= 3 else -1.0
        known = self._shares[size]
        return None if known < 0 else known


@dataclass(slots=True)
class SiteWindow:
    """One site's days in a window; days without anything are absent. `firm` are the sites of the same firm, itself too."""

    site: str
    days: Mapping[int, Tally]
    city: City
    firm: Tallies = field(default_factory=dict)

    @property
    def day(self) -> int:
        """The last day."""
        return self.city.day

    @property
    def at_ms(self) -> int:
        """The last moment of the window."""
        return self.city.at_ms

    @property
    def month(self) -> str:
        """The month of the last day: what lasts is one alert a month, however many days show it."""
        return day_name(self.day)[:7]

    @property
    def today(self) -> Tally | None:
        """The last day's tally."""
        return self.days.get(self.day)

    def last(self, number: int) -> list[tuple[int, Tally]]:
        """Of the last days, that many, those on which anything happened; the earliest first."""
        return [(day, its) for day, its in sorted(self.days.items()) if day > self.day - number]

    def total(self, what: str, days: int = DAYS) -> int:
        """A counter over the last days."""
        since = self.day - days
        return sum(getattr(tally, what) for day, tally in self.days.items() if day > since)

    def named(self, what: str, days: int = DAYS) -> list[str]:
        """The ids that a tally keeps under a name, latest day first."""
        return [one for _, tally in reversed(self.last(days)) if (one := getattr(tally, what))]


@dataclass(slots=True)
class DeviceWindow:
    """One device in a window, at whatever sites it was used: by day, what it did at each."""

    device: str
    day: int
    days: Mapping[int, Sequence[tuple[str, DeviceDay]]]

    @property
    def at_ms(self) -> int:
        """The last moment of the window."""
        return day_start_ms(self.day + 1) - 1


@dataclass(slots=True)
class PersonDay:
    """What a person scanned at fixed sites on one day, in order."""

    person: str
    day: int
    scans: Sequence[Scan]


def weighed(tallies: Iterable[Tally], size: str) -> tuple[int, int, int]:
    """Fills into bottles of a size, the sum of their grams, and of the squares."""
    n = total = squares = 0
    for tally in tallies:
        its = tally.masses.get(size)
        if its:
            n, total, squares = n + its[0], total + its[1], squares + its[2]
    return n, total, squares


def _usual(means: Sequence[tuple[float, int]]) -> float:
    """The higher of the median of sites' means and that of their fills."""
    ordered = sorted(means)
    so_far = list(accumulate(n for _, n in ordered))
    of_fills = ordered[bisect_left(so_far, so_far[-1] / 2)][0]
    return max(median(mean for mean, _ in ordered), of_fills)


def site_windows(city: City, reference: Reference) -> Iterator[SiteWindow]:
    """Every site with anything in the window, in order."""
    firms: dict[str, dict[str, Mapping[int, Tally]]] = defaultdict(dict)
    owners = {site: reference.owner_of_site(site, city.at_ms) for site in city.of}
    for site, its in city.of.items():
        if owner := owners[site]:
            firms[owner][site] = its
    for site, its in sorted(city.of.items()):
        owner = owners[site]
        yield SiteWindow(site, its, city, firms[owner] if owner else {site: its})


def device_windows(city: City) -> Iterator[DeviceWindow]:
    """Every device of which the window may show anything, in order."""
    odd = _odd_devices(city)
    found: dict[str, dict[int, list[tuple[str, DeviceDay]]]] = defaultdict(lambda: defaultdict(list))
    for site, its in sorted(city.of.items()):
        for day, tally in its.items():
            for device in odd.intersection(tally.devices):
                found[device][day].append((site, tally.devices[device]))
    for device, days in sorted(found.items()):
        yield DeviceWindow(device, city.day, days)


def _odd_devices(city: City) -> set[str]:
    """The devices whose numbers do not just run on with the days, or that sent a bundle late.

    No rule finds anything in the others, which are nearly all: a city has too many to look at each every day.
    """
    odd: set[str] = set()
    top: dict[str, tuple[int, int]] = {}
    for its in city.of.values():
        for day in sorted(its):
            for device, did in its[day].devices.items():
                heard = did.heard
                if len(heard) != 1 or did.late_received_ms is not None:
                    odd.add(device)
                if heard:
                    before, on = top.get(device, (heard[0][0] - 1, day))
                    if before != heard[0][0] - 1 or on > day:
                        odd.add(device)
                    top[device] = heard[-1][1], day
    return odd


def at_several_sites(city: City, reference: Reference, apart_km: float) -> dict[str, list[str]]:
    """The persons who scanned on the last day at fixed sites farther apart than that, with all their sites."""
    fixed = reference.stations | reference.depots | reference.agencies
    where: dict[str, list[str]] = defaultdict(list)
    for site, its in sorted(city.of.items()):
        if site in fixed and city.day in its:
            for person in its[city.day].people:
                where[person].append(site)
    return {
        person: sites
        for person, sites in sorted(where.items())
        if any((reference.distance_km(*pair) or 0) > apart_km for pair in combinations(sites, 2))
    }


def gaps(heard: Sequence[tuple[int, Sequence[Range]]], until_day: int) -> list[tuple[int, int]]:
    """Numbers nobody heard of between two that were heard: the day of the one after each gap, and how many are missing.

    `heard` are the ranges of each day in order. Only gaps before numbers of `until_day` or earlier count: the others may
    still be on their way. What lies before numbers of an earlier day is no gap: the counter fell, and began anew. A rise
    is a gap however large it is, or a thousand fills could be hidden where ten can not.
    """
    spans = sorted((first, last, day) for day, its in heard for first, last in its)
    found: list[tuple[int, int]] = []
    top, top_day = spans[0][1] if spans else 0, spans[0][2] if spans else 0
    for first, last, day in spans:
        missing = first - top - 1
        if missing > 0 and top_day <= day <= until_day:
            found.append((day, missing))
        if last > top:
            top, top_day = last, day
    return found


def run_on(heard: Sequence[tuple[int, Sequence[Range]]]) -> bool:
    """Whether every number follows the one before it, as it nearly always does: there is no gap then."""
    top = None
    for _, its in heard:
        for first, last in its:
            if top is not None and first != top + 1:
                return False
            top = last
    return True

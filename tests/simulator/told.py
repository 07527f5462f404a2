"""A city as the tests of its stories look at it: each event once, with what is planted, grouped and in local time."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.calendar import SHANGHAI
from cylinder_trace.simulator.city import Arrival, City, Label


class Told:
    """A city, each event once with its arrival, and its labels."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.by_id: dict[Any, Arrival] = {}
        for arrival in city.arrivals:
            self.by_id.setdefault(arrival.event.event_id, arrival)
        self.arrivals = list(self.by_id.values())
        self.events = [arrival.event for arrival in self.arrivals]
        self.sites = {one.site_id: one for one in city.records if isinstance(one, SiteRecord)}

    def labels(self, kind: str, fault: bool = True) -> list[Label]:
        found = [label for label in self.city.labels if label.kind == kind and label.fault is fault]
        assert found, kind
        return found

    def of(self, label: Label) -> list[Any]:
        return sorted((self.by_id[one].event for one in label.event_ids), key=lambda event: event.occurred_at)

    def limit_kg(self, site: str) -> float:
        limit = self.sites[site].storage_limit_kg
        assert limit is not None
        return limit

    def fills(self, site: str) -> list[Any]:
        return [event for event in self.events if event.kind == "fill" and event.site_id == site]


def day(moment: datetime) -> int:
    return moment.astimezone(SHANGHAI).toordinal()


def hour(moment: datetime) -> float:
    local = moment.astimezone(SHANGHAI)
    return local.hour + local.minute / 60


def gaps_s(events: Iterable[Any]) -> list[float]:
    times = sorted(event.occurred_at for event in events)
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


def by(events: Iterable[Any], *names: str) -> dict[Any, list[Any]]:
    grouped = defaultdict(list)
    for event in events:
        grouped[tuple(getattr(event, name) for name in names)].append(event)
    return grouped


def by_day(fills: Iterable[Any]) -> dict[int, list[Any]]:
    grouped = defaultdict(list)
    for fill in fills:
        grouped[day(fill.occurred_at)].append(fill)
    return grouped

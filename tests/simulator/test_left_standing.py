"""Who keeps a cylinder for too long is planted to do so: no other story leaves one behind."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.law.tables import load
from cylinder_trace.simulator.city import City, Plan, simulate

END = datetime(2026, 11, 20, tzinfo=UTC)
TO_AND_FRO = {
    "fill_check",
    "fill",
    "post_check",
    "ship",
    "receive",
    "deliver",
    "return",
    "observe",
    "inspect",
}


@pytest.fixture(scope="module", params=[(75, 6), (200, 2)], ids=["75 days", "200 days"])
def city(request: pytest.FixtureRequest) -> City:
    days, each = request.param
    return simulate(Plan(seed=31, cylinders=500, days=days, end=END, faults_of_each_kind=each))


def handed_over_for_too_long(city: City) -> list[UUID]:
    """The scans by which a cylinder came to a customer that kept it beyond what such customers take."""
    law = load()
    limit = {
        one.site_id: timedelta(days=law.number(f"long_dwell.{one.segment}_days", END.date()))
        for one in city.records
        if isinstance(one, SiteRecord) and one.type == "customer"
    }
    scans: dict[str, dict[UUID, Any]] = defaultdict(dict)
    first = {one.event.new_code: one.event.code for one in city.arrivals if one.event.kind == "tag_replace"}
    for event in (arrival.event for arrival in city.arrivals):
        if event.kind in TO_AND_FRO:
            code = event.code
            while code in first:
                code = first[code]
            scans[code][event.event_id] = event
    found = []
    for its in scans.values():
        story = sorted(its.values(), key=lambda event: (event.occurred_at, event.event_id))
        nexts = [event.occurred_at for event in story[1:]] + [END]
        for event, next_at in zip(story, nexts, strict=True):
            customer = getattr(event, "to_site", None) if event.kind in {"deliver", "receive"} else None
            if customer in limit and next_at - event.occurred_at > limit[customer]:
                found.append(event.event_id)
    return found


def test_only_those_planted_to_stand_too_long_do(city: City) -> None:
    labels = [label for label in city.labels if label.kind == "long_dwell"]
    assert any(label.fault for label in labels)
    too_long = set(handed_over_for_too_long(city))
    assert {one for label in labels if label.fault for one in label.event_ids} <= too_long
    assert too_long <= {one for label in labels for one in label.event_ids}


def test_what_piles_up_with_customers_is_still_there_at_the_end(city: City) -> None:
    kept = {one for label in city.labels if label.kind in {"overstock", "hoarding"} and label.fault
            for one in label.event_ids}  # fmt: skip
    homes = {one.event.to_site for one in city.arrivals if one.event.event_id in kept}
    assert homes
    assert not [one for one in city.arrivals if one.event.kind == "return" and one.event.from_site in homes]

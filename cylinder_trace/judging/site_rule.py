"""A rule over the days of a site, a device or a person."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cylinder_trace.judging.days import SiteDay
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.windows import DeviceWindow, PersonDay, SiteWindow


def nothing(_looked_at: object, _reference: Reference) -> tuple[Finding, ...]:
    """What a rule finds where it does not look."""
    return ()


@dataclass(frozen=True, slots=True)
class SiteRule(Rule):
    """A rule that looks at one day of a site, at a site's last weeks, at a device's, or at a person's day.

    What one day shows is anchored at that day; what lasts at its month, so that many days show one alert.
    """

    in_day: Callable[[SiteDay, Reference], Iterable[Finding]] = nothing
    in_window: Callable[[SiteWindow, Reference], Iterable[Finding]] = nothing
    of_device: Callable[[DeviceWindow, Reference], Iterable[Finding]] = nothing
    of_person: Callable[[PersonDay, Reference], Iterable[Finding]] = nothing

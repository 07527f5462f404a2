"""From a cylinder's life to the three pictures of its page."""

from datetime import date
from typing import Any

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.naming import Naming
from cylinder_trace.web.drawings.inspection_bar import Period, inspection_bar
from cylinder_trace.web.drawings.timeline import TimelineEvent, timeline
from cylinder_trace.web.drawings.trail import TrailLeg, trail
from cylinder_trace.web.lives import Life
from cylinder_trace.web.pages.event_rows import is_late
from cylinder_trace.web.wording import say


def timeline_picture(life: Life, naming: Naming, now_ms: int, lang: str) -> Any:
    """The events along time until now; nothing where there is only the registration."""
    which = 0 if lang == "zh" else 1
    alarming = _alarming(life)
    events = [
        TimelineEvent(
            at=moment_of(entry.occurred_ms),
            kind=entry.kind,
            label=say(f"kind.{entry.kind}", lang),
            site=naming.site(entry.site_id)[which] if entry.site_id else "",
            alert=entry.event_id in alarming,
            late=is_late(entry),
            voided=entry.event_id in life.void,
        )
        for entry in life.entries
        # A registration of years ago would press the days that matter into a corner.
        if entry.kind != "register"
    ]
    if not events:
        return ""
    return timeline(events, events[0].at, max(moment_of(now_ms), events[-1].at), lang)


def inspection_picture(life: Life, now_ms: int, lang: str) -> Any:
    """The terms of inspection, one after the other, with the fills on them."""
    today = local_day(now_ms)
    periods = []
    for number, (start, until) in enumerate(life.terms):
        following = life.terms[number + 1][0] - 1 if number + 1 < len(life.terms) else max(today, until)
        if start <= min(until, following):
            periods.append(Period(date.fromordinal(start), date.fromordinal(min(until, following)), "valid"))
        if following > until:
            periods.append(
                Period(date.fromordinal(max(start, until + 1)), date.fromordinal(following), "overdue")
            )
    if not periods:
        return ""
    fills = [
        date.fromordinal(local_day(entry.occurred_ms))
        for entry in life.entries
        if entry.kind == "fill" and entry.event_id not in life.void
    ]
    end = life.state.life_end_day
    return inspection_bar(
        periods, date.fromordinal(end) if end else None, fills, date.fromordinal(today), lang
    )


def trail_picture(life: Life, naming: Naming, lang: str, most: int | None) -> Any:
    """The legs as a graph, all of them or the last `most`."""
    which = 0 if lang == "zh" else 1
    alarming = _alarming(life)
    sites = life.reference.sites

    def type_of(site: str) -> str:
        return sites[site].type if site in sites else "unknown"

    legs = [
        TrailLeg(
            no=number,
            from_site=leg.from_site,
            from_name=naming.site(leg.from_site)[which],
            to_site=leg.to_site,
            to_name=naming.site(leg.to_site)[which],
            from_type=type_of(leg.from_site),
            to_type=type_of(leg.to_site),
            departed=moment_of(leg.departed_ms) if leg.departed_ms is not None else None,
            arrived=moment_of(leg.arrived_ms) if leg.arrived_ms is not None else None,
            gap=leg.gap,
            alert=leg.arrive_event in alarming or leg.depart_event in alarming or leg.decanted or leg.outside,
        )
        for number, leg in enumerate(life.legs, start=1)
    ]
    return trail(legs[-most:] if most else legs, lang) if legs else ""


def _alarming(life: Life) -> set[str]:
    return {event_id for row in life.alerts if row["status"] == "open" for event_id in row["evidence"]}

"""A cylinder's life along time, on four lanes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.web.drawings.svg import Places, drawing, element, width_of
from cylinder_trace.web.wording import say

WIDTH, LEFT, RIGHT, TOP, LANE, BOTTOM = 960.0, 84.0, 22.0, 8.0, 42.0, 50.0
_LANES = {
    "custody": {"ship", "receive", "deliver", "return", "observe", "transfer"},
    "filling": {"fill_check", "override", "fill", "post_check"},
    "inspection": {"inspect", "repair"},
}
_NAMES = (*_LANES, "status")
_OFF_LANE = {"fill_check": -10.0, "override": -10.0, "post_check": 10.0}
"""What is scanned before and after a fill lies within minutes of it, and would cover it."""
_HOUR_S, _DAY_S = 3600, 86_400
_STEPS_S = (
    *(hours * _HOUR_S for hours in (1, 3, 6, 12)),
    *(days * _DAY_S for days in (1, 2, 7, 14, 30, 61, 122, 366, 1830, 18_300)),
)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One mark: what happened, where, and whether it alarms, came late or was corrected."""

    at: datetime
    kind: str
    label: str
    site: str
    alert: bool
    late: bool
    voided: bool


def timeline(events: Sequence[TimelineEvent], start: datetime, end: datetime, lang: str) -> Markup:
    """The events between two moments. Every mark carries its words as a tooltip."""
    span_s = max((end - start).total_seconds(), 6 * _HOUR_S)
    height = TOP + LANE * len(_NAMES) + BOTTOM
    floor = TOP + LANE * len(_NAMES)

    def x_of(moment: datetime) -> float:
        inner = WIDTH - LEFT - RIGHT - 16
        return LEFT + 8 + inner * min(1.0, max(0.0, (moment - start).total_seconds() / span_s))

    parts: list[Markup] = []
    for number, name in enumerate(_NAMES):
        y = TOP + LANE * (number + 0.5)
        parts.append(element("line", class_="lane", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        parts.append(
            element(
                "text", say(f"lane.{name}", lang), class_="label", x=LEFT - 10, y=y + 4, text_anchor="end"
            )
        )
    places = Places(WIDTH, height)
    for tick, words in _ticks(start, start + timedelta(seconds=span_s)):
        x = x_of(tick)
        parts.append(element("line", class_="tick", x1=x, x2=x, y1=TOP, y2=floor))
        parts.append(places.label(words, x, (floor + 15,)))
    # Alarming marks last, so that nothing covers them.
    parts += [_mark(event, x_of(event.at), lang) for event in sorted(events, key=lambda one: one.alert)]
    parts += _legend(height - 9, lang)
    return drawing(WIDTH, height, say("timeline", lang), *parts)


def _mark(event: TimelineEvent, x: float, lang: str) -> Markup:
    lane = next((number for number, kinds in enumerate(_LANES.values()) if event.kind in kinds), len(_LANES))
    y = TOP + LANE * (lane + 0.5) + _OFF_LANE.get(event.kind, 0.0)
    when = event.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    notes = [say(word, lang) for word, holds in (("late", event.late), ("voided", event.voided)) if holds]
    words = " ".join([when, say("zone.short", lang), event.label, event.site, *notes])
    shapes = _shapes(x, y, f"lane-{lane}", big=event.kind == "fill", event=event)
    return element("g", element("title", words), *shapes)


def _shapes(x: float, y: float, lane: str, *, big: bool, event: TimelineEvent) -> Iterator[Markup]:
    """Each note of an event is a shape of its own, so that nothing is told by colour alone."""
    radius = 5.5 if big else 4.0
    if event.late:
        yield element("circle", class_="mark late", cx=x, cy=y, r=radius + 3)
    if event.voided:
        cross = f"M{x - 4:.1f} {y - 4:.1f}l8 8M{x + 4:.1f} {y - 4:.1f}l-8 8"
        yield element("path", class_="mark void", d=cross)
    elif event.alert:
        yield element("path", class_="mark alarm", d=f"M{x:.1f} {y - 10:.1f}l8.5 16h-17z")
    elif event.kind in _LANES["inspection"]:
        yield element("rect", class_=f"mark {lane}", x=x - 4, y=y - 4, width=8, height=8)
    else:
        yield element("circle", class_=f"mark {lane}", cx=x, cy=y, r=radius)


def _legend(y: float, lang: str) -> Iterator[Markup]:
    x = LEFT + 8
    for word in ("alarm", "late", "void"):
        if word == "alarm":
            yield element("path", class_="mark alarm", d=f"M{x:.1f} {y - 10:.1f}l6 11h-12z")
        elif word == "late":
            yield element("circle", class_="mark lane-0", cx=x, cy=y - 4, r=3)
            yield element("circle", class_="mark late", cx=x, cy=y - 4, r=6)
        else:
            yield element("path", class_="mark void", d=f"M{x - 4:.1f} {y - 8:.1f}l8 8m0 -8l-8 8")
        words = say(f"legend.{word}", lang)
        yield element("text", words, class_="label", x=x + 12, y=y)
        x += width_of(words) + 40


def _ticks(start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Whole hours or days of Shanghai; the year is written where it begins to hold."""
    span_s = (end - start).total_seconds()
    step_s = next((step for step in _STEPS_S if span_s / step <= 10), _STEPS_S[-1])
    local = start.astimezone(SHANGHAI)
    if step_s < _DAY_S:
        tick = local.replace(
            minute=0, second=0, microsecond=0, hour=local.hour // (step_s // 3600) * (step_s // 3600)
        )
    else:
        tick = local.replace(hour=0, minute=0, second=0, microsecond=0)
    year = 0
    while (tick := tick + timedelta(seconds=step_s)) <= end:
        form = "%m-%d %H:%M" if step_s < _DAY_S else "%m-%d" if step_s < 30 * _DAY_S else "%Y-%m"
        if tick.year != year and step_s < 30 * _DAY_S:
            form = f"%Y-{form}"
        year = tick.year
        yield tick, tick.strftime(form)

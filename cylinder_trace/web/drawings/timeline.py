"""A cylinder's life along time, on four lanes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from cylinder_trace.web.drawings.svg import drawing, element
from cylinder_trace.web.wording import say

SHANGHAI = ZoneInfo("Asia/Shanghai")
WIDTH, LEFT, RIGHT, TOP, LANE = 960.0, 64.0, 16.0, 14.0, 40.0
_LANES = {
    "custody": {"ship", "receive", "deliver", "return", "observe", "transfer"},
    "filling": {"fill_check", "fill", "post_check"},
    "inspection": {"inspect", "repair"},
}
_NAMES = (*_LANES, "status")


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
    span = max((end - start).total_seconds(), 86_400.0)
    height = TOP + LANE * len(_NAMES) + 24

    def x_of(moment: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, (moment - start).total_seconds() / span))

    parts: list[Markup] = []
    for number, name in enumerate(_NAMES):
        y = TOP + LANE * (number + 0.5)
        parts.append(element("line", class_="lane", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        parts.append(
            element(
                "text", say(f"lane.{name}", lang), class_="label", x=LEFT - 10, y=y + 4, text_anchor="end"
            )
        )
    for tick in _ticks(start, start + timedelta(seconds=span)):
        x = x_of(tick)
        parts.append(element("line", class_="tick", x1=x, x2=x, y1=TOP, y2=height - 22))
        parts.append(
            element("text", tick.strftime("%m-%d"), class_="label", x=x, y=height - 6, text_anchor="middle")
        )
    # Alarming marks last, so that nothing covers them.
    parts += [_mark(event, x_of(event.at), lang) for event in sorted(events, key=lambda one: one.alert)]
    return drawing(WIDTH, height, say("timeline", lang), *parts)


def _mark(event: TimelineEvent, x: float, lang: str) -> Markup:
    lane = next((number for number, kinds in enumerate(_LANES.values()) if event.kind in kinds), len(_LANES))
    y = TOP + LANE * (lane + 0.5)
    when = event.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    notes = [say(word, lang) for word, holds in (("late", event.late), ("voided", event.voided)) if holds]
    words = " ".join([when, event.label, event.site, *notes])
    classes = " ".join(
        ["mark", f"lane-{lane}", *(["alarm"] if event.alert else []), *(["void"] if event.voided else [])]
    )
    if event.alert:
        return element("path", element("title", words), class_=classes, d=f"M{x:.1f} {y - 9:.1f}l8 15h-16z")
    return element(
        "circle", element("title", words), class_=classes, cx=x, cy=y, r=5 if event.kind == "fill" else 3.5
    )


def _ticks(start: datetime, end: datetime) -> list[datetime]:
    days = (end - start).days
    step = next(step for step in (1, 2, 7, 14, 30, 61, 122, 366, 3660) if days / step <= 12)
    first = start.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    ticks = [first + timedelta(days=step * number) for number in range(14)]
    return [tick for tick in ticks if tick <= end]

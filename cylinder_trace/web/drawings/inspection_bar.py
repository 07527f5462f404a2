"""When the inspection was valid, when it was not, and when the cylinder was filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cylinder_trace.web.drawings.svg import Places, drawing, element
from cylinder_trace.web.wording import say

WIDTH, LEFT, RIGHT, HEIGHT = 960.0, 12.0, 12.0, 108.0
BAR_TOP, BAR_BOTTOM = 34.0, 60.0
_BELOW = (78.0, 95.0)
_FAR = 0.5
"""An end of life further ahead than this share of the bar is written, not drawn: it would press the rest together."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from start to end, both inclusive; `kind` is valid or overdue."""

    start: date
    end: date
    kind: str


def inspection_bar(
    periods: Sequence[Period], life_end: date | None, fills: Sequence[date], today: date, lang: str
) -> Markup:
    """A bar of terms with the fills on it. Overdue terms are hatched and fills in them are triangles."""
    first = min(*(period.start for period in periods), today)
    last = max(today, *(period.end for period in periods))
    far = life_end is not None and (life_end - last).days > _FAR * ((last - first).days + 1)
    if life_end is not None and not far:
        last = max(last, life_end)
    days = (last - first).days + 1

    def x_of(day: date, *, after: int = 0) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * max(0, min(days, (day - first).days + after)) / days

    parts = [_hatching()]
    for period in periods:
        x, end = x_of(period.start), x_of(period.end, after=1)
        title = element("title", f"{say(f'term.{period.kind}', lang)} {period.start} – {period.end}")
        box = {"x": x, "y": BAR_TOP, "width": max(1.0, end - x), "height": BAR_BOTTOM - BAR_TOP}
        parts.append(element("rect", title, class_=f"term {period.kind}", **box))
        if period.kind == "overdue":
            parts.append(element("rect", class_="hatched", fill="url(#hatch)", **box))
    for day in sorted(set(fills)):
        over = any(period.kind == "overdue" and period.start <= day <= period.end for period in periods)
        parts.append(_fill(day, min(x_of(day) + 1, WIDTH - 9), lang, over=over))
    places = Places(WIDTH, HEIGHT)
    x = x_of(today)
    parts.append(element("line", class_="now", x1=x, x2=x, y1=20, y2=BAR_BOTTOM + 4))
    parts.append(places.label(f"{say('today', lang)} {today}", x, (14.0,)))
    if life_end is not None:
        x = WIDTH - RIGHT if far else x_of(life_end, after=1)
        if not far:
            parts.append(element("line", class_="life-end", x1=x, x2=x, y1=BAR_TOP - 6, y2=BAR_BOTTOM + 6))
        words = f"{say('life_end', lang)} {life_end}{' →' if far else ''}"
        parts.append(places.label(words, x, _BELOW))
    # The newest term first: where there is no room for all, it is the one that counts.
    for period in sorted(periods, key=lambda one: one.end, reverse=True):
        if period.kind == "valid":
            words = f"{say('term.until', lang)} {period.end}"
            parts.append(places.label(words, x_of(period.end, after=1), _BELOW))
    parts.append(places.label(str(first), LEFT, _BELOW))
    return drawing(WIDTH, HEIGHT, say("inspection", lang), *parts)


def _fill(day: date, x: float, lang: str, *, over: bool) -> Markup:
    title = element("title", f"{say('kind.fill', lang)} {day}")
    if over:
        x = max(x, 9.0)
        return element("path", title, class_="mark alarm", d=f"M{x:.1f} {BAR_TOP - 10}l8 15h-16z")
    return element("line", title, class_="fill-line", x1=x, x2=x, y1=BAR_TOP + 4, y2=BAR_BOTTOM - 4)


def _hatching() -> Markup:
    lines = element("path", class_="hatch", d="M-2 2l4 -4M0 8l8 -8M6 10l4 -4")
    attributes = {"id": "hatch", "width": 8, "height": 8, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", lines, **attributes))

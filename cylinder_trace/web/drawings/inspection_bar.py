"""When the inspection was valid, when it was not, and when the cylinder was filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cylinder_trace.web.drawings.svg import drawing, element
from cylinder_trace.web.wording import say

WIDTH, LEFT, RIGHT, HEIGHT = 960.0, 12.0, 12.0, 78.0


@dataclass(frozen=True, slots=True)
class Period:
    """Days from start to end, both inclusive; `kind` is valid, overdue or extension."""

    start: date
    end: date
    kind: str


def inspection_bar(
    periods: Sequence[Period], life_end: date | None, fills: Sequence[date], today: date, lang: str
) -> Markup:
    """A bar of terms with the fills on it; fills after expiry stand out by shape as well as colour."""
    first = min(period.start for period in periods)
    last = max([today, *(period.end for period in periods), *([life_end] if life_end else [])])
    days = max(1, (last - first).days + 1)

    def x_of(day: date, *, after: int = 0) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * max(0, min(days, (day - first).days + after)) / days

    parts: list[Markup] = []
    for period in periods:
        x = x_of(period.start)
        words = f"{period.start} – {period.end}"
        width = max(1.0, x_of(period.end, after=1) - x)
        parts.append(
            element(
                "rect",
                element("title", words),
                class_=f"term {period.kind}",
                x=x,
                y=26,
                width=width,
                height=22,
            )
        )
    for day in sorted(fills):
        over = any(period.kind == "overdue" and period.start <= day <= period.end for period in periods)
        x = x_of(day) + 1
        title = element("title", f"{say('kind.fill', lang)} {day}")
        if over:
            parts.append(element("path", title, class_="mark alarm", d=f"M{x:.1f} 22l7 12h-14z"))
        else:
            parts.append(element("line", title, class_="fill-line", x1=x, x2=x, y1=30, y2=44))
    marks: tuple[tuple[date | None, str], ...] = (
        (today, say("today", lang)),
        (life_end, say("life_end", lang)),
    )
    for marked, word in marks:
        if marked is not None:
            x = x_of(marked)
            anchor = "end" if x > WIDTH - 120 else "start" if x < 120 else "middle"
            parts.append(element("line", class_="now", x1=x, x2=x, y1=18, y2=54))
            parts.append(
                element(
                    "text",
                    f"{word} {marked}",
                    class_="label",
                    x=x,
                    y=13 if word == say("today", lang) else 70,
                    text_anchor=anchor,
                )
            )
    parts.append(element("text", str(first), class_="label", x=LEFT, y=70))
    return drawing(WIDTH, HEIGHT, say("inspection", lang), *parts)

"""How many began on each day, and how many of them have not ended."""

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from cylinder_trace.web.drawings.svg import Places, drawing, element
from cylinder_trace.web.wording import say

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FLOOR = 960.0, 190.0, 44.0, 12.0, 16.0, 160.0
_LABEL_Y = FLOOR + 17


def columns(days: Sequence[tuple[date, int, int]], lang: str) -> Markup:
    """A column a day, its part that is still open hatched at its foot; days say their numbers when pointed at."""
    most = _round_up(max((number for _, number, _ in days), default=0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(days))

    def y_of(number: float) -> float:
        return FLOOR - (FLOOR - TOP) * number / most

    parts = [_hatching()]
    for number in (most, most / 2, 0):
        y = y_of(number)
        parts.append(element("line", class_="lane", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        if number == int(number):
            parts.append(
                element("text", str(int(number)), class_="label", x=LEFT - 8, y=y + 4, text_anchor="end")
            )
    places = Places(WIDTH, HEIGHT)
    for place, (day, opened, still) in enumerate(days):
        x = LEFT + step * place
        wide = max(0.8, step * 0.78)
        words = f"{day} · {say('figure.alerts', lang)} {opened} · {say('figure.open', lang)} {still}"
        shapes = [
            element(
                "rect", class_=class_, x=x + (step - wide) / 2, y=y_of(n), width=wide, height=FLOOR - y_of(n)
            )
            for class_, n in (("mark", opened), ("mark alarm", still))
            if n
        ]
        if still:
            shapes.append(
                element("rect", fill="url(#open)", x=x + (step - wide) / 2, y=y_of(still), width=wide,
                        height=FLOOR - y_of(still))
            )  # fmt: skip
        if shapes:
            parts.append(element("g", element("title", words), *shapes))
        if place == 0 or day.day == 1 or (len(days) <= 40 and place % 5 == 0):
            parts.append(places.label(f"{day:%m-%d}" if place else str(day), x + step / 2, (_LABEL_Y,)))
    return drawing(WIDTH, HEIGHT, say("figures.by_day", lang), *parts)


def _round_up(number: int) -> int:
    """The next number that halves nicely."""
    ten = 1
    while 10 * ten < number:
        ten *= 10
    return next(ten * nice for nice in (2, 4, 6, 8, 10) if ten * nice >= number)


def _hatching() -> Markup:
    lines = element("path", class_="hatch-open", d="M-2 2l4 -4M0 8l8 -8M6 10l4 -4")
    attributes = {"id": "open", "width": 8, "height": 8, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", lines, **attributes))

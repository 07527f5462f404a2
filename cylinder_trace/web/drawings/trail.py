"""The custody trail as a graph: sites in columns by their type, legs as numbered arrows, gaps dashed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.web.drawings.svg import LABEL_PX, Places, drawing, element, width_of, wrapped
from cylinder_trace.web.wording import say

WIDTH, ROW, TOP, LEGEND, BOX_WIDTH, BOX_HEIGHT = 960.0, 74.0, 26.0, 30.0, 190.0, 44.0
MOST_NUMBERS = 3
_COLUMNS = {
    "filling_station": 0,
    "manufacturer": 0,
    "inspection_agency": 0,
    "depot": 1,
    "vehicle": 1,
    "scrap_yard": 1,
}
_LAST_COLUMN = 2
_ALONG = (0.5, 0.62, 0.38, 0.72, 0.28, 0.8, 0.2, 0.55, 0.45, 0.67, 0.33, 0.86, 0.14)
"""Where along an arrow its numbers may stand, the best place first."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TrailLeg:
    """One leg, `no` counted from 1. Times are None where nobody scanned that end."""

    no: int
    from_site: str
    from_name: str
    to_site: str
    to_name: str
    from_type: str
    to_type: str
    departed: datetime | None
    arrived: datetime | None
    gap: bool
    alert: bool


def trail(legs: Sequence[TrailLeg], lang: str) -> Markup:
    """The legs in their order; legs between the same two sites share an arrow that carries their numbers."""
    names: dict[str, tuple[str, str]] = {}
    for leg in legs:
        names.setdefault(leg.from_site, (leg.from_name, leg.from_type))
        names.setdefault(leg.to_site, (leg.to_name, leg.to_type))
    columns = _columns(legs, {site: kind for site, (_, kind) in names.items()})
    tallest = max(len(sites) for sites in columns.values())
    height = TOP + ROW * tallest + LEGEND
    points: dict[str, Point] = {}
    for column, sites in columns.items():
        x = BOX_WIDTH / 2 + 4 + column * (WIDTH - BOX_WIDTH - 8) / _LAST_COLUMN
        step = ROW * tallest / len(sites)  # a short column is spread over the height of the tallest
        for row, site in enumerate(sites):
            points[site] = (x, TOP + step * (row + 0.5))
    bundles: dict[tuple[str, str], list[TrailLeg]] = defaultdict(list)
    for leg in legs:
        bundles[leg.from_site, leg.to_site].append(leg)
    places = Places(WIDTH, height)
    for x, y in points.values():
        places.take((x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2, x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2))
    middles = sorted(points[site][1] for site in columns.get(1, []))
    curves = [_Curve.between(points[origin], points[goal], middles) for origin, goal in bundles]
    parts = [element("defs", _arrowhead("arrow"), _arrowhead("arrow-alarm"))]
    parts += [_arrow(curve, some, lang) for curve, some in zip(curves, bundles.values(), strict=True)]
    parts += [_box(*points[site], *names[site]) for site in names]
    # Last, so that no arrow runs over a number.
    parts += [_numbers(curve, some, places) for curve, some in zip(curves, bundles.values(), strict=True)]
    parts += _legend(height - 9, lang)
    return drawing(WIDTH, height, say("trail", lang), *parts)


def _columns(legs: Sequence[TrailLeg], kinds: dict[str, str]) -> dict[int, list[str]]:
    """The sites of each column from top to bottom, each beside those it exchanges with, so that few arrows cross."""
    columns: dict[int, list[str]] = defaultdict(list)
    beside: dict[str, list[str]] = defaultdict(list)
    for site, kind in kinds.items():
        columns[_COLUMNS.get(kind, _LAST_COLUMN)].append(site)
    for leg in legs:
        beside[leg.from_site].append(leg.to_site)
        beside[leg.to_site].append(leg.from_site)
    height = {site: (row + 0.5) / len(sites) for sites in columns.values() for row, site in enumerate(sites)}
    # The depots stand as they first appear; stations and customers are sorted to them.
    for column in sorted(columns, key=lambda one: one != 1)[1:]:
        mine = set(columns[column])
        middles = {
            site: [height[other] for other in beside[site] if other not in mine] or [height[site]]
            for site in columns[column]
        }
        columns[column].sort(key=lambda site: sum(middles[site]) / len(middles[site]))
        for row, site in enumerate(columns[column]):
            height[site] = (row + 0.5) / len(columns[column])
    return columns


@dataclass(frozen=True, slots=True)
class _Curve:
    """A quadratic curve."""

    start: Point
    bend: Point
    end: Point

    @classmethod
    def between(cls, origin: Point, goal: Point, middles: Sequence[float]) -> "_Curve":
        """From one box to another; `middles` are the heights of the boxes of the column between, to be gone around."""
        (x1, y1), (x2, y2) = origin, goal
        half, half_height = BOX_WIDTH / 2, BOX_HEIGHT / 2
        if origin == goal:  # from a site to itself: a bow over its box
            return cls((x1 - 30, y1 - half_height), (x1, y1 - half_height - 30), (x1 + 30, y1 - half_height))
        if abs(x1 - x2) < 1:  # in one column the arrow bows out to the side
            side = half * (1 if x1 < WIDTH * 0.6 else -1)
            down = 8 if y2 > y1 else -8
            return cls((x1 + side, y1 + down), (x1 + side * 1.9, (y1 + y2) / 2), (x1 + side, y2 - down))
        way = 1 if x2 > x1 else -1
        start, end = (x1 + half * way, y1 - 7 * way), (x2 - half * way, y2 - 7 * way)
        middle = (start[1] + end[1]) / 2 - 10 * way
        if abs(x1 - x2) > WIDTH / 2:
            # Past the column between: the nearest height that is clear of all its boxes.
            clear = half_height + 16
            ways = [middle, *(y + side for y in middles for side in (-clear, clear))]
            free = [one for one in ways if all(abs(one - y) >= clear for y in middles)] or ways
            middle = min(free, key=lambda one: abs(one - middle))
        # A quadratic curve goes half the way to its bend.
        return cls(start, ((start[0] + end[0]) / 2, 2 * middle - (start[1] + end[1]) / 2), end)

    def at(self, share: float) -> Point:
        """The point so far along."""
        a, b, c = (1 - share) ** 2, 2 * share * (1 - share), share**2
        return (
            a * self.start[0] + b * self.bend[0] + c * self.end[0],
            a * self.start[1] + b * self.bend[1] + c * self.end[1],
        )

    @property
    def path(self) -> str:
        (x1, y1), (xb, yb), (x2, y2) = self.start, self.bend, self.end
        return f"M{x1:.1f} {y1:.1f}Q{xb:.1f} {yb:.1f} {x2:.1f} {y2:.1f}"


def _arrow(curve: _Curve, legs: Sequence[TrailLeg], lang: str) -> Markup:
    alarm = any(leg.alert for leg in legs)
    classes = ["leg", *(["gap"] if all(leg.gap for leg in legs) else []), *(["alarm"] if alarm else [])]
    title = element("title", " · ".join(_when(leg, lang) for leg in legs[-8:]))
    head = "url(#arrow-alarm)" if alarm else "url(#arrow)"
    return element("g", title, element("path", class_=" ".join(classes), d=curve.path, marker_end=head))


def _numbers(curve: _Curve, legs: Sequence[TrailLeg], places: Places) -> Markup:
    """The numbers of an arrow's legs, at the first place along it where they cover nothing."""
    numbers = [str(leg.no) for leg in legs]
    words = ", ".join(numbers)
    if len(numbers) > MOST_NUMBERS:
        words = f"{numbers[0]} … {numbers[-1]} ×{len(numbers)}"
    alarm = any(leg.alert for leg in legs)
    if alarm:
        words = f"▲ {words}"
    half = width_of(words) / 2 + 3
    for share in _ALONG:
        x, y = curve.at(share)
        box = (x - half, y - LABEL_PX / 2 - 3, x + half, y + LABEL_PX / 2 + 2)
        if places.is_free(box):
            break
    else:  # no room anywhere: what is over a line can still be read, what is left out can not
        x, y = curve.at(_ALONG[0])
        x = min(max(x, half), WIDTH - half)
        box = (x - half, y - LABEL_PX / 2 - 3, x + half, y + LABEL_PX / 2 + 2)
    places.take(box)
    classes = "leg-number alarm" if alarm else "leg-number"
    return element("text", words, class_=classes, x=x, y=y + 4, text_anchor="middle")


def _when(leg: TrailLeg, lang: str) -> str:
    times = [
        moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if moment else say("gap", lang)
        for moment in (leg.departed, leg.arrived)
    ]
    return f"{leg.no}: {' → '.join(times)}"


def _box(x: float, y: float, name: str, kind: str) -> Markup:
    rows = wrapped(name, BOX_WIDTH - 16, 2)
    first = y + 4 - (len(rows) - 1) * 7.5
    return element(
        "g",
        element("title", name),
        element(
            "rect",
            class_=f"site {kind}",
            x=x - BOX_WIDTH / 2,
            y=y - BOX_HEIGHT / 2,
            width=BOX_WIDTH,
            height=BOX_HEIGHT,
            rx=6,
        ),
        *(
            element("text", row, class_="site-name", x=x, y=first + number * 15, text_anchor="middle")
            for number, row in enumerate(rows)
        ),
    )


def _arrowhead(name: str) -> Markup:
    head = element("path", d="M0 0L8 4L0 8z", class_=f"{name}head")
    size = {"viewBox": "0 0 8 8", "refX": 8, "refY": 4, "markerWidth": 9, "markerHeight": 9}
    return element("marker", head, id=name, orient="auto", markerUnits="userSpaceOnUse", **size)


def _legend(y: float, lang: str) -> Iterator[Markup]:
    x = 4.0
    for word, classes in (("leg", "leg"), ("gap", "leg gap"), ("alarm_leg", "leg alarm")):
        yield element("line", class_=classes, x1=x, x2=x + 34, y1=y - 4, y2=y - 4)
        words = ("▲ " if word == "alarm_leg" else "") + say(f"legend.{word}", lang)
        yield element("text", words, class_="label", x=x + 42, y=y)
        x += width_of(words) + 70

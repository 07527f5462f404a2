"""The custody trail as a graph: sites in columns by their type, legs as numbered arrows, gaps dashed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cylinder_trace.web.drawings.svg import drawing, element
from cylinder_trace.web.wording import say

WIDTH, ROW, TOP, BOX_WIDTH, BOX_HEIGHT = 960.0, 76.0, 20.0, 168.0, 38.0
_COLUMNS = {
    "filling_station": 0,
    "manufacturer": 0,
    "inspection_agency": 0,
    "depot": 1,
    "vehicle": 1,
    "scrap_yard": 1,
}
_LAST_COLUMN = 2
MOST_NUMBERS = 3


@dataclass(frozen=True, slots=True)
class TrailLeg:
    """One leg. Times are None where nobody scanned that end."""

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
    names = {
        site: (name, kind)
        for leg in legs
        for site, name, kind in (
            (leg.from_site, leg.from_name, leg.from_type),
            (leg.to_site, leg.to_name, leg.to_type),
        )
    }
    columns: dict[int, list[str]] = defaultdict(list)
    for site, (_, kind) in names.items():
        columns[_COLUMNS.get(kind, _LAST_COLUMN)].append(site)
    tallest = max(len(sites) for sites in columns.values())
    places = {}
    for column, sites in columns.items():
        offset = (tallest - len(sites)) * ROW / 2
        for row, site in enumerate(sites):
            x = BOX_WIDTH / 2 + 8 + column * (WIDTH - BOX_WIDTH - 16) / _LAST_COLUMN
            places[site] = (x, TOP + offset + ROW * (row + 0.5))
    bundles: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, leg in enumerate(legs):
        bundles[leg.from_site, leg.to_site].append(number)
    arrow = element(
        "marker",
        element("path", d="M0 0L8 4L0 8z", class_="arrowhead"),
        id="arrow",
        viewBox="0 0 8 8",
        refX=8,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        orient="auto",
    )
    parts = [element("defs", arrow)]
    parts += [
        _arrow(places[origin], places[goal], numbers, legs, lang)
        for (origin, goal), numbers in bundles.items()
    ]
    parts += [_box(*places[site], *names[site]) for site in names]
    return drawing(WIDTH, TOP * 2 + ROW * tallest, say("trail", lang), *parts)


def _arrow(
    origin: tuple[float, float],
    goal: tuple[float, float],
    numbers: list[int],
    legs: Sequence[TrailLeg],
    lang: str,
) -> Markup:
    (x1, y1), (x2, y2) = origin, goal
    if abs(x1 - x2) < 1:  # in one column the arrow bows out to the side
        side = BOX_WIDTH / 2 * (1 if x1 < WIDTH / 2 else -1)
        start, end = (x1 + side, y1), (x2 + side, y2)
        bend = (x1 + side * 2, (y1 + y2) / 2)
    else:
        side = BOX_WIDTH / 2 * (1 if x2 > x1 else -1)
        start, end = (
            (x1 + side, y1 - 6 * (1 if x2 > x1 else -1)),
            (x2 - side, y2 - 6 * (1 if x2 > x1 else -1)),
        )
        bend = ((x1 + x2) / 2, (y1 + y2) / 2 - 22 * (1 if x2 > x1 else -1))
    shown = [legs[number] for number in numbers]
    kinds = [
        "leg",
        *(["gap"] if all(leg.gap for leg in shown) else []),
        *(["alarm"] if any(leg.alert for leg in shown) else []),
    ]
    path = f"M{start[0]:.1f} {start[1]:.1f}Q{bend[0]:.1f} {bend[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    words = ", ".join(str(number + 1) for number in numbers[:MOST_NUMBERS]) + (
        f" … ×{len(numbers)}" if len(numbers) > MOST_NUMBERS else ""
    )
    middle = ((start[0] + 2 * bend[0] + end[0]) / 4, (start[1] + 2 * bend[1] + end[1]) / 4)
    title = element("title", " · ".join(_when(leg, lang) for leg in shown[:8]))
    return element(
        "g",
        title,
        element("path", class_=" ".join(kinds), d=path, marker_end="url(#arrow)"),
        element("text", words, class_="leg-number", x=middle[0], y=middle[1] - 3, text_anchor="middle"),
    )


def _when(leg: TrailLeg, lang: str) -> str:
    times = [
        moment.strftime("%m-%d %H:%M") if moment else say("gap", lang)
        for moment in (leg.departed, leg.arrived)
    ]
    return " → ".join(times)


def _box(x: float, y: float, name: str, kind: str) -> Markup:
    short = name if len(name) <= 13 else name[:12] + "…"
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
        element("text", short, class_="site-name", x=x, y=y + 5, text_anchor="middle"),
    )

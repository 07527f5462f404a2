"""The drawings: well-formed, inside their frame, gaps as gaps, and nothing that is told by colour alone."""

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.web.drawings.inspection_bar import Period, inspection_bar
from cylinder_trace.web.drawings.svg import LABEL_PX, width_of, wrapped
from cylinder_trace.web.drawings.timeline import TimelineEvent, timeline
from cylinder_trace.web.drawings.trail import TrailLeg, trail

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 5, 4, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>\"&甲"
LANGUAGES = ["zh", "en"]
Box = tuple[float, float, float, float]


def read(drawing: object) -> ElementTree.Element:
    """The picture as XML: a parser, unlike a browser, forgives nothing."""
    return ElementTree.fromstring(str(drawing))


def with_class(picture: ElementTree.Element, *classes: str) -> list[ElementTree.Element]:
    return [one for one in picture.iter() if set(classes) <= set((one.get("class") or "").split())]


def words(picture: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in picture.iter(f"{SVG}text")]


def box_of(one: ElementTree.Element) -> Box | None:
    """Left, top, right, bottom of a mark; None for what draws nothing by itself."""
    kind = one.tag.removeprefix(SVG)

    def get(name: str) -> float:
        return float(one.get(name, "0"))

    if kind == "rect":
        return get("x"), get("y"), get("x") + get("width"), get("y") + get("height")
    if kind == "circle":
        return get("cx") - get("r"), get("cy") - get("r"), get("cx") + get("r"), get("cy") + get("r")
    if kind == "line":
        xs, ys = (get("x1"), get("x2")), (get("y1"), get("y2"))
        return min(xs), min(ys), max(xs), max(ys)
    if kind == "text":
        wide = width_of(one.text or "")
        shift = {"middle": wide / 2, "end": wide}.get(one.get("text-anchor", ""), 0)
        return get("x") - shift, get("y") - LABEL_PX * 0.8, get("x") - shift + wide, get("y") + 2
    if kind == "path":
        found = re.match(r"M(-?[\d.]+) (-?[\d.]+)(?:Q([-\d. ]+))?", one.get("d", ""))
        assert found, one.get("d")
        points = [(float(found[1]), float(found[2]))]
        if found[3]:
            xb, yb, x2, y2 = map(float, found[3].split())
            # A quadratic curve stays within its ends and half the way to its bend.
            points += [(x2, y2), ((points[0][0] + x2) / 4 + xb / 2, (points[0][1] + y2) / 4 + yb / 2)]
        return (
            min(x for x, _ in points),
            min(y for _, y in points),
            *(max(axis) for axis in zip(*points, strict=True)),
        )
    return None


def outside(picture: ElementTree.Element) -> list[tuple[str, Box]]:
    """What reaches out of the frame; a hair's breadth of a line's own width is none."""
    _, _, width, height = map(float, picture.get("viewBox", "").split())
    inside_definitions = {one for definition in picture.iter(f"{SVG}defs") for one in definition.iter()}
    found = []
    for one in picture.iter():
        box = None if one in inside_definitions else box_of(one)
        if box and (box[0] < -1 or box[1] < -1 or box[2] > width + 1 or box[3] > height + 1):
            found.append((ElementTree.tostring(one, "unicode"), box))
    return found


def overlapping(picture: ElementTree.Element) -> list[tuple[str, str]]:
    """Pairs of words that lie over each other."""
    boxes = [(one.text or "", box_of(one)) for one in picture.iter(f"{SVG}text")]
    return [
        (first, second)
        for place, (first, a) in enumerate(boxes)
        for second, b in boxes[place + 1 :]
        if a and b and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def event(
    hours: float,
    kind: str = "fill",
    *,
    alert: bool = False,
    late: bool = False,
    voided: bool = False,
    site: str = "充装站",
) -> TimelineEvent:
    return TimelineEvent(START + timedelta(hours=hours), kind, kind, site, alert, late, voided)


def leg(
    no: int,
    origin: str,
    goal: str,
    *,
    gap: bool = False,
    alert: bool = False,
    types: tuple[str, str] = ("depot", "customer"),
) -> TrailLeg:
    at = START + timedelta(days=no)
    return TrailLeg(no, origin, origin, goal, goal, *types, None if gap else at, at, gap, alert)


def rounds(number: int) -> list[TrailLeg]:
    """So many legs: out from one of two stations by one of two depots to ever other customers, and back."""
    legs: list[TrailLeg] = []
    while len(legs) < number:
        turn = len(legs) // 4
        station, depot, customer = f"液化气充装站{turn % 2}", f"配送站{turn % 2}", f"餐饮用户 {turn:06}"
        for origin, goal, types in (
            (station, depot, ("filling_station", "depot")),
            (depot, customer, ("depot", "customer")),
            (customer, depot, ("customer", "depot")),
            (depot, station, ("depot", "filling_station")),
        ):
            legs.append(
                leg(
                    len(legs) + 1,
                    origin,
                    goal,
                    gap=len(legs) % 7 == 3,
                    alert=len(legs) % 11 == 5,
                    types=types,
                )
            )
    return legs[:number]


# --- the timeline ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "span_h", [0.1, 30, 24 * 60, 24 * 365 * 12], ids=["minutes", "days", "months", "years"]
)
def test_a_timeline_fits_its_frame_whatever_its_span(span_h: float, lang: str) -> None:
    kinds = ["ship", "fill_check", "fill", "post_check", "inspect", "stop", "observe"]
    events = [
        event(span_h * place / 6, kind, alert=place == 2, late=place == 4) for place, kind in enumerate(kinds)
    ]
    picture = read(timeline(events, START, START + timedelta(hours=span_h), lang))
    assert not outside(picture)
    assert not overlapping(picture)


def test_a_timeline_of_one_event_is_drawn() -> None:
    picture = read(timeline([event(0)], START, START, "zh"))
    assert len(with_class(picture, "mark", "lane-1")) == 1
    assert not outside(picture)


def test_what_alarms_is_a_triangle_what_is_late_has_a_ring_and_what_is_corrected_a_cross() -> None:
    plain = read(timeline([event(0)], START, START, "zh"))
    for note, class_, tag in (
        ("alert", "alarm", "path"),
        ("late", "late", "circle"),
        ("voided", "void", "path"),
    ):
        noted = read(timeline([event(0, **{note: True})], START, START, "zh"))  # type: ignore[arg-type]
        count = len(with_class(noted, "mark", class_))
        assert count == len(with_class(plain, "mark", class_)) + 1, note
        assert all(one.tag == f"{SVG}{tag}" for one in with_class(noted, "mark", class_))


def test_alarming_marks_are_drawn_over_the_others() -> None:
    picture = read(
        timeline([event(1, alert=True), event(2), event(3)], START, START + timedelta(hours=3), "zh")
    )
    titles = [one.text or "" for one in picture.iter(f"{SVG}title")]
    assert "2026-05-04 09:00" in titles[-1]


def test_a_fill_and_its_checks_do_not_cover_each_other() -> None:
    events = [event(0, "fill_check"), event(0.02), event(0.04, "post_check")]
    picture = read(timeline(events, START, START + timedelta(days=60), "zh"))
    legend = 1
    assert len({one.get("cy") for one in with_class(picture, "mark", "lane-1")}) == 3
    assert len(with_class(picture, "mark", "lane-1")) == 2 + legend


# --- the trail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("number", [1, 2, 12, 50])
def test_a_trail_of_any_length_fits_its_frame_and_every_number_can_be_read(number: int, lang: str) -> None:
    picture = read(trail(rounds(number), lang))
    assert not outside(picture)
    assert not overlapping(picture)


def test_a_gap_is_dashed_and_an_alarming_leg_has_a_triangle_in_its_number() -> None:
    legs = [leg(1, "甲站", "乙", gap=True), leg(2, "甲站", "丙", alert=True), leg(3, "甲站", "丁")]
    picture = read(trail(legs, "zh"))
    drawn = [one.get("class") for one in with_class(picture, "leg") if one.tag == f"{SVG}path"]
    assert drawn == ["leg gap", "leg alarm", "leg"]
    assert {"1", "▲ 2", "3"} <= set(words(picture))
    gap = next(one for one in picture.iter(f"{SVG}title") if (one.text or "").startswith("1:"))
    assert gap.text == "1: 未扫码 → 2026-05-05 08:00"


def test_legs_between_the_same_two_sites_share_an_arrow_that_counts_them() -> None:
    picture = read(trail([leg(number, "甲站", "乙") for number in range(3, 10)], "zh"))
    assert "3 … 9 ×7" in words(picture)
    assert len([one for one in with_class(picture, "leg") if one.tag == f"{SVG}path"]) == 1


def test_an_arrow_past_the_depots_runs_over_none_of_them() -> None:
    direct = leg(2, "检验站", "用户", types=("inspection_agency", "customer"))
    picture = read(trail([leg(1, "站", "配送站", types=("filling_station", "depot")), direct], "zh"))
    depot = box_of(with_class(picture, "site", "depot")[0])
    start, bend, end = [
        tuple(map(float, point))
        for way in with_class(picture, "leg")
        for point in re.findall(r"(-?[\d.]+) (-?[\d.]+)", way.get("d", ""))
    ][-3:]
    assert depot
    for share in (0.3, 0.4, 0.5, 0.6, 0.7):
        x, y = (
            (1 - share) ** 2 * a + 2 * share * (1 - share) * b + share**2 * c
            for a, b, c in zip(start, bend, end, strict=True)
        )
        assert not (depot[0] < x < depot[2] and depot[1] < y < depot[3])


def test_sites_that_are_not_in_the_register_and_ways_back_to_the_same_site_are_drawn() -> None:
    legs = [
        leg(1, "ST99", "ST99", types=("unknown", "unknown")),
        leg(2, "ST99", "X", types=("unknown", "unknown")),
    ]
    picture = read(trail(legs, "zh"))
    assert not outside(picture)
    assert len(with_class(picture, "site", "unknown")) == 2


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans(), st.booleans()), min_size=1, max_size=30
    )
)
def test_any_trail_stays_inside_its_frame(ways: list[tuple[int, int, bool, bool]]) -> None:
    types = [
        "filling_station",
        "filling_station",
        "depot",
        "inspection_agency",
        "customer",
        "customer",
        "unknown",
    ]
    legs = [
        leg(no, f"点{origin}", f"点{goal}", gap=gap, alert=alert, types=(types[origin], types[goal]))
        for no, (origin, goal, gap, alert) in enumerate(ways, start=1)
    ]
    assert not outside(read(trail(legs, "zh")))


# --- the inspection bar ---------------------------------------------------------------------------------------


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("life_end", [None, day(40), day(220), day(4000)])
@pytest.mark.parametrize("today", [day(0), day(100), day(300)])
def test_an_inspection_bar_fits_its_frame_and_its_words_do_not_collide(
    today: date, life_end: date | None, lang: str
) -> None:
    periods = [
        Period(day(0), day(60), "valid"),
        Period(day(61), day(90), "overdue"),
        Period(day(91), day(200), "valid"),
    ]
    picture = read(inspection_bar(periods, life_end, [day(0), day(70), day(300)], today, lang))
    assert not outside(picture)
    assert not overlapping(picture)


def test_an_overdue_term_is_hatched_and_a_fill_in_it_is_a_triangle() -> None:
    periods = [Period(day(0), day(60), "valid"), Period(day(61), day(90), "overdue")]
    picture = read(inspection_bar(periods, None, [day(30), day(61), day(80)], day(90), "zh"))
    assert len(with_class(picture, "hatched")) == 1
    assert [one.tag for one in with_class(picture, "mark", "alarm")] == [f"{SVG}path"] * 2
    assert len(with_class(picture, "fill-line")) == 1


def test_a_bar_of_one_day_is_drawn() -> None:
    assert not outside(read(inspection_bar([Period(day(0), day(0), "valid")], None, [], day(0), "zh")))


# --- all of them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_are_text_and_nothing_else(lang: str) -> None:
    drawings = [
        timeline([event(0, site=HOSTILE)], START, START, lang),
        trail([leg(1, HOSTILE, f"{HOSTILE}2")], lang),
    ]
    for drawing in drawings:
        picture = read(drawing)
        assert "<script" not in str(drawing)
        assert any(HOSTILE in (one.text or "") for one in picture.iter(f"{SVG}title"))


def test_long_names_are_broken_into_lines_that_fit() -> None:
    assert wrapped("浦南瑞祥燃气浦东新区液化气充装站", 100, 2) == ["浦南瑞祥燃气浦东", "新区液化气充装站"]
    assert wrapped("A filling station of a long name", 110, 3)[0] == "A filling"
    cut = wrapped("浦南瑞祥燃气浦东新区液化气充装站", 60, 2)
    assert cut[-1].endswith("…")
    assert all(width_of(row) <= 60 for row in cut)

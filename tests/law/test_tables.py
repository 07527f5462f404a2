"""The law tables refuse gaps, keep what has lapsed, and answer as they stood on a day."""

import re
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from cylinder_trace.contract.fields import CylinderClass
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.errors import DoubledRow, IncompleteRow, LawError, MalformedRow, UnreadableTable
from cylinder_trace.law.tables import Law, NoLawForThat, life_end, load

TODAY = date(2026, 6, 1)
LAW = load()
# Longer endings first, so that km_h is not read as h.
UNIT_AT_END = {
    "_kg_per_l": "kg/L",
    "_working_days": "working days",
    "_km_h": "km/h",
    "_percent": "%",
    "_months": "months",
    "_years": "years",
    "_days": "d",
    "_min": "min",
    "_mpa": "MPa",
    "_kg": "kg",
    "_km": "km",
    "_h": "h",
    "_s": "s",
}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of the shipped tables, to be changed by hand."""
    for file in resources.files("cylinder_trace.law").iterdir():
        if file.name.endswith(".toml"):
            (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    return tmp_path


def change(tables: Path, file: str, edit: Callable[[str], str]) -> Law:
    """The law after one file was edited by hand."""
    path = tables / file
    before = path.read_text("utf-8")
    after = edit(before)
    assert after != before
    path.write_text(after, "utf-8")
    return load(tables)


@pytest.mark.parametrize("column", ["value", "unit", "valid_from", "source", "grade", "confirmed"])
def test_a_row_that_lacks_a_column_is_refused_with_file_row_and_column_named(
    tables: Path, column: str
) -> None:
    with pytest.raises(IncompleteRow, match=rf"^inspection\.toml, row 1: {column} is missing\. Add {column}"):
        change(tables, "inspection.toml", lambda text: re.sub(rf"(?m)^{column} = .*\n", "", text, count=1))


def test_an_empty_source_is_no_source(tables: Path) -> None:
    with pytest.raises(IncompleteRow) as refused:
        change(
            tables, "lpg_models.toml", lambda text: re.sub(r"(?m)^source = .*$", 'source = ""', text, count=1)
        )
    assert (refused.value.file, refused.value.number, refused.value.column) == (
        "lpg_models.toml",
        1,
        "source",
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("value = 24\n", 'value = "24"\n', "'24' is not a number"),
        ("value = 24\n", "value = true\n", "True is not a number"),
        ("valid_from = 1900-01-01", "valid_from = 1900-01-01T00:00:00", "is not a day"),
        ('grade = "A"', 'grade = "D"', "is not A, B or C"),
        ('grade = "A"', 'grade = "C"', "grade C is not confirmed"),
        ("medium_group =", "medium_grup = 1\nmedium_group =", "medium_grup: unknown"),
    ],
)
def test_a_row_that_holds_nonsense_is_refused(tables: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(MalformedRow, match=rf"^inspection\.toml, row 1, .*{re.escape(says)}"):
        change(tables, "inspection.toml", lambda text: text.replace(old, new, 1))


def test_two_rows_for_one_question_and_day_are_refused(tables: Path) -> None:
    with pytest.raises(DoubledRow, match="already answered by"):
        change(tables, "thresholds.toml", lambda text: text + text[text.index("[[row]]") :])


def test_a_missing_or_broken_file_is_named(tables: Path) -> None:
    with pytest.raises(UnreadableTable, match=r"^media\.toml"):
        change(tables, "media.toml", lambda text: text + "[[row")
    (tables / "media.toml").unlink()
    with pytest.raises(UnreadableTable, match=r"^media\.toml"):
        load(tables)


def test_a_lapsed_value_still_answers_for_its_day(tables: Path) -> None:
    later = """
[[row]]
key = "no_precheck.before_h"
value = 12
unit = "h"
valid_from = 2027-03-01
source = "a later order"
grade = "A"
confirmed = true
zh = "充装前检查的有效时间"
en = "How long before a fill its check may lie"
"""
    law = change(tables, "thresholds.toml", lambda text: text + later)
    assert law.number("no_precheck.before_h", date(2027, 2, 28)) == 24
    assert law.number("no_precheck.before_h", date(2027, 3, 1)) == 12
    assert load().number("no_precheck.before_h", date(2027, 3, 1)) == 24


def test_the_lpg_interval_of_the_day_names_the_standard_of_the_day() -> None:
    before = LAW.inspection_interval("lpg_bottle", "lpg", date(2022, 9, 30))
    after = LAW.inspection_interval("lpg_bottle", "lpg", date(2022, 10, 1))
    assert not before.confirmed
    assert (after.source, after.grade, after.confirmed) == ("GB/T 8334-2022", "B", True)


def test_a_cylinder_registered_long_ago_has_a_life_and_a_term() -> None:
    """Else nobody would ever find it to be past them."""
    registered = date(1985, 3, 1)
    life = LAW.service_life("seamless_steel", "o2", registered, registered)
    assert life == LAW.service_life("seamless_steel", "o2", registered, TODAY)
    term = LAW.inspection_interval("seamless_steel", "o2", registered)
    assert term == LAW.inspection_interval("seamless_steel", "o2", TODAY)


def test_a_day_before_the_first_row_has_no_law() -> None:
    with pytest.raises(NoLawForThat, match=r"registration\.within_days on 1980-01-01; the first holds"):
        LAW.number("registration.within_days", date(1980, 1, 1))
    with pytest.raises(NoLawForThat):
        LAW.number("no_precheck.befor_h", TODAY)


@pytest.mark.parametrize(
    ("cylinder_class", "medium", "months", "grade"),
    [
        ("seamless_steel", "cl2", 24, "B"),
        ("seamless_steel", "air_diving", 24, "B"),
        ("seamless_steel", "n2", 60, "B"),
        ("seamless_steel", "h2_5n", 60, "B"),
        ("seamless_steel", "o2", 36, "B"),
        ("seamless_steel", "h2", 36, "B"),
        ("seamless_steel", "co2", 36, "B"),
        ("seamless_steel", "air", 36, "B"),
        ("seamless_aluminium", "hcl", 24, "B"),
        ("seamless_aluminium", "o2", 36, "B"),
        ("seamless_aluminium", "ar", 36, "B"),
        ("welded_steel", "nh3", 24, "C"),
        ("welded_steel", "n2", 60, "C"),
        ("welded_steel", "co2", 36, "C"),
        ("lpg_bottle", "lpg", 48, "B"),
        ("dme_bottle", "dme", 48, "C"),
        ("acetylene", "c2h2", 36, "C"),
        ("vehicle_cng", "cng", 36, "B"),
        ("vehicle_lpg", "lpg", 60, "C"),
        ("vehicle_h2", "h2", 36, "B"),
        ("cryogenic", "lox", 36, "C"),
        ("cryogenic", "lng", 36, "C"),
        ("breathing_composite", "air", 36, "B"),
        ("breathing_composite", "o2", 36, "B"),
    ],
)
def test_the_interval_is_the_one_of_class_and_medium(
    cylinder_class: str, medium: str, months: int, grade: str
) -> None:
    row = LAW.inspection_interval(cylinder_class, medium, TODAY)
    assert (row.value, row.unit, row.grade) == (months, "months", grade)


def test_a_seamless_corrosive_interval_was_read_in_the_1999_text() -> None:
    row = LAW.inspection_interval("seamless_steel", "so2", date(2010, 1, 1))
    assert (row.value, row.source, row.grade) == (24, "GB 13004-1999", "A")


@pytest.mark.parametrize("cylinder_class", ["mixture_shell", "seamless_steel"])
def test_a_mixture_takes_the_shortest_of_its_components(cylinder_class: str) -> None:
    assert LAW.inspection_interval(cylinder_class, "ar+he", TODAY).value == 60
    assert LAW.inspection_interval(cylinder_class, "ar+co2", TODAY).value == 36
    assert LAW.inspection_interval(cylinder_class, "ar+co2+so2", TODAY).value == 24
    assert LAW.service_life(cylinder_class, "ar+co2", date(2010, 5, 1), TODAY).years == 30


def test_an_lpg_bottle_does_not_get_the_interval_of_another_gas() -> None:
    with pytest.raises(NoLawForThat, match="lpg_bottle / o2 on 2026-06-01"):
        LAW.inspection_interval("lpg_bottle", "o2", TODAY)


@pytest.mark.parametrize("medium", ["hf", "ar+hf"])
def test_a_gas_without_a_row_gets_no_interval_because_it_may_be_corrosive(medium: str) -> None:
    with pytest.raises(NoLawForThat, match=r"^media\.toml has no row for hf on 2026-06-01"):
        LAW.inspection_interval("seamless_steel", medium, TODAY)


@pytest.mark.parametrize(
    ("cylinder_class", "medium", "years"),
    [
        ("seamless_steel", "o2", 30),
        ("seamless_aluminium", "o2", 20),
        ("welded_steel", "co2", 20),
        ("welded_steel", "cl2", 12),
        ("dme_bottle", "dme", 8),
        ("acetylene", "c2h2", 30),
        ("vehicle_cng", "cng", 15),
        ("vehicle_lpg", "lpg", 15),
        ("vehicle_h2", "h2", 15),
        ("cryogenic", "lar", 20),
        ("breathing_composite", "air", 15),
    ],
)
def test_the_life_is_the_one_of_the_class(cylinder_class: str, medium: str, years: int) -> None:
    assert LAW.service_life(cylinder_class, medium, date(2015, 5, 1), TODAY).years == years


def test_an_lpg_bottles_life_depends_on_when_it_was_made() -> None:
    older = LAW.service_life("lpg_bottle", "lpg", date(2007, 1, 31), TODAY)
    newer = LAW.service_life("lpg_bottle", "lpg", date(2007, 2, 1), TODAY)
    assert older.years == 15
    assert (newer.years, newer.max_extension_years, newer.hard_stop_years) == (8, 4, 12)
    assert not older.row.confirmed
    assert not newer.row.confirmed, "its sources conflict"


@pytest.mark.parametrize(
    ("manufactured", "years", "last_day"),
    [
        (date(2016, 5, 1), 8, date(2024, 5, 31)),
        (date(2016, 5, 31), 8, date(2024, 5, 31)),
        (date(2012, 2, 3), 12, date(2024, 2, 29)),
        (date(2016, 2, 29), 15, date(2031, 2, 28)),
        (date(2010, 12, 1), 15, date(2025, 12, 31)),
    ],
)
def test_a_stamp_is_good_through_the_last_day_of_its_month(
    manufactured: date, years: int, last_day: date
) -> None:
    assert life_end(manufactured, years) == last_day


@pytest.mark.parametrize(
    ("model", "allowed_kg"),
    [
        ("YSP4.7", 1.9),
        ("YSP12", 5),
        ("YSP23.5", 9.8),
        ("YSP26.2", 11),
        ("YSP35.5", 14.9),
        ("YSP74", 30),
        ("YSP118", 49.5),
    ],
)
def test_a_known_model_has_its_own_mass(model: str, allowed_kg: float) -> None:
    allowed = LAW.allowed_gas_mass_kg(model, 999, TODAY)
    assert allowed is not None
    assert allowed.value_kg == allowed_kg
    assert allowed_kg <= 0.42 * float(allowed.row.columns["volume_l"])


@pytest.mark.parametrize(
    ("model", "volume_l", "allowed_kg"), [("YSP28.6", 28.6, 12.012), ("YSP29.1", 29.1, 12.222)]
)
def test_a_vendors_model_falls_back_to_the_fill_factor(
    model: str, volume_l: float, allowed_kg: float
) -> None:
    allowed = LAW.allowed_gas_mass_kg(model, volume_l, TODAY)
    assert allowed is not None
    assert (allowed.value_kg, allowed.row.value, allowed.row.unit) == (allowed_kg, 0.42, "kg/L")
    assert LAW.allowed_gas_mass_kg(model, None, TODAY) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no_precheck.before_h", 24),
        ("no_precheck.clock_tolerance_min", 15),
        ("no_postcheck.clock_tolerance_min", 15),
        ("no_precheck.grace_h", 48),
        ("no_postcheck.within_h", 24),
        ("no_postcheck.grace_h", 48),
        ("double_fill.grace_h", 48),
        ("deliver_without_fill.grace_h", 48),
        ("out_of_area.grace_h", 0),
        ("bypass_loop.cylinders", 5),
        ("bypass_loop.window_days", 14),
        ("overfill.mass_tolerance_kg", 0.3),
        ("overfill.pressure_tolerance_mpa", 0.5),
        ("clone.speed_km_h", 120),
        ("clock_fault.ahead_min", 15),
    ],
)
def test_a_rule_finds_the_threshold_it_was_designed_with(key: str, value: float) -> None:
    assert LAW.number(key, TODAY) == value
    assert not LAW.threshold(key, TODAY).confirmed


def test_every_threshold_has_the_unit_its_name_ends_in() -> None:
    rows = [row for row in LAW.rows() if row.table in {"thresholds", "filling", "supervision"}]
    assert len(rows) > 60
    for row in rows:
        key = row.text("key").split(".YSP")[0]
        expected = [unit for ending, unit in UNIT_AT_END.items() if key.endswith(ending)]
        assert row.unit == (expected[0] if expected else row.unit), row.where


def test_no_row_that_is_common_practice_passes_for_confirmed() -> None:
    unconfirmed = LAW.unconfirmed()
    assert {row.where for row in LAW.rows() if row.grade == "C"} <= {row.where for row in unconfirmed}
    assert not [row.where for row in unconfirmed if row.confirmed]


def test_every_rule_finds_its_provisions_and_its_grace() -> None:
    for rule in RULES.values():
        for basis_id in rule.laws:
            # A law has its title in brackets; a standard is called by its number.
            assert LAW.basis(basis_id).title_zh.startswith(("《", "GB/T "))
        if rule.waits_for_late_scans:
            assert LAW.threshold(f"{rule.name}.grace_h", TODAY).unit == "h"


def test_no_clause_of_the_standard_nobody_read_is_cited() -> None:
    assert not [row.where for row in LAW.rows() if "23-2021" in row.source or "23-2021" in str(row.columns)]


def test_a_provision_says_what_it_costs() -> None:
    basis = LAW.basis("特种设备安全法.84")
    assert (basis.article, basis.title_en) == ("84", "Special Equipment Safety Law")
    assert "三十万元" in basis.penalty_zh
    with pytest.raises(NoLawForThat):
        LAW.basis("特种设备安全法.999")


@pytest.mark.parametrize(
    ("abolished", "successor"),
    [("310103", "310101"), ("310108", "310106"), ("310119", "310115"), ("310230", "310151")],
)
def test_an_abolished_district_gives_its_successor(abolished: str, successor: str) -> None:
    assert LAW.district(abolished) == LAW.district(successor)
    assert LAW.district(successor).adcode == successor


def test_a_medium_is_called_by_its_name_and_an_unknown_one_by_its_code() -> None:
    assert (LAW.medium("lpg").zh, LAW.medium("lpg").en) == ("液化石油气", "Liquefied petroleum gas")
    assert LAW.medium("ar+co2") == ("氩+二氧化碳", "Argon+Carbon dioxide")
    assert LAW.medium("hf") == ("hf", "hf")


def test_shanghai_has_sixteen_districts_and_two_other_addressees() -> None:
    districts = [one for one in LAW.districts() if one.is_district]
    others = [one for one in LAW.districts() if not one.is_district]
    # Sixteen rows and sixteen codes: an abolished district must not list its successor twice.
    assert len(districts) == len({one.adcode for one in districts}) == 16
    assert [one.zh for one in others] == ["临港新片区", "机场分局"]


def test_every_cylinder_class_of_the_contract_has_names_an_interval_and_a_life() -> None:
    media = [row.text("code") for row in LAW.rows() if row.table == "media"]
    for cylinder_class in get_args(CylinderClass):
        assert LAW.cylinder_class(cylinder_class)[0] != cylinder_class
        assert any(_answers(LAW, cylinder_class, medium) for medium in media), cylinder_class


def _answers(law: Law, cylinder_class: str, medium: str) -> bool:
    try:
        law.inspection_interval(cylinder_class, medium, TODAY)
        law.service_life(cylinder_class, medium, date(2015, 5, 1), TODAY)
    except LawError:
        return False
    return True


def test_the_second_jurisdiction_is_only_another_table() -> None:
    rows = [row for row in LAW.rows() if row.table == "us_inspection"]
    periods: dict[str, set[float]] = {}
    for row in rows:
        periods.setdefault(row.text("specification"), set()).add(row.amount)
    assert periods["3A"] == periods["3AA"] == periods["4BA"] == periods["4BW"] == {5, 10, 12}
    assert periods["3AL"] == {5, 12}
    assert periods["8"] == periods["8AL"] == {10, 20}
    assert {row.unit for row in rows} == {"years"}

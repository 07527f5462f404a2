"""Provisions are cited as a penalty file cites them, and what nobody confirmed says so."""

import re
from string import Formatter

import pytest

from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.citing import UNCONFIRMED, amount, cited, numeral, values_used
from cylinder_trace.law.naming import DISTRICTS, MEDIA, OWNERS, SITES, Naming
from cylinder_trace.law.rows import Row
from cylinder_trace.law.tables import load

LAW = load()
PROVISIONS = [row for row in LAW.rows() if row.table == "legal_basis"]


@pytest.mark.parametrize(
    ("basis_id", "zh", "en"),
    [
        (
            "特种设备安全法.49",
            "《中华人民共和国特种设备安全法》第四十九条",
            "Special Equipment Safety Law, art. 49",
        ),
        (
            "城镇燃气管理条例.18",
            "《城镇燃气管理条例》第十八条第（七）项、第（八）项",
            "Regulations on Urban Gas, art. 18(7)(8)",
        ),
        (
            "上海市燃气管理条例.44",
            "《上海市燃气管理条例》第四十四条（未经核实）",
            "Shanghai Regulations on Gas, art. 44 (not confirmed)",
        ),
        (
            "TSG07-2019.D2.1",
            "《特种设备生产和充装单位许可规则》（TSG 07-2019）D2.1",
            "TSG 07-2019, D2.1",
        ),
        ("GBT38059-2019", "GB/T 38059-2019", "GB/T 38059-2019"),
    ],
)
def test_an_article_a_clause_and_a_whole_text_each_read_well(basis_id: str, zh: str, en: str) -> None:
    citation = cited(LAW, basis_id)
    assert (citation.zh, citation.en) == (zh, en)


@pytest.mark.parametrize("row", PROVISIONS, ids=lambda row: row.text("id"))
def test_every_provision_says_whether_it_is_confirmed(row: Row) -> None:
    citation = cited(LAW, row.text("id"))
    assert citation.zh.endswith(UNCONFIRMED[0]) is not row.confirmed
    assert citation.en.endswith(UNCONFIRMED[1]) is not row.confirmed
    assert not re.search(r"第[^一二三四五六七八九十百零]+条", citation.zh)


def test_a_provision_that_the_table_does_not_have_is_cited_as_not_confirmed() -> None:
    citation = cited(LAW, "某条例.1")
    assert (citation.zh, citation.confirmed) == ("某条例.1（未经核实）", False)


def test_every_rule_stands_on_provisions_that_the_table_has() -> None:
    known = {row.text("id") for row in PROVISIONS}
    assert not {law for rule in RULES.values() for law in rule.laws} - known


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "一"), (10, "十"), (18, "十八"), (20, "二十"), (62, "六十二"), (105, "一百零五"), (110, "一百一十")],
)
def test_articles_are_numbered_as_statutes_number_them(number: int, words: str) -> None:
    assert numeral(number) == words


def test_the_numbers_a_rule_measures_by_are_its_own() -> None:
    values = values_used(LAW, "overfill")
    assert [(amount(one)[0], one.confirmed) for one in values] == [("0.3 kg", False), ("0.5 MPa", False)]


def test_no_unit_of_a_number_is_left_untranslated_and_shares_are_per_cent() -> None:
    rows = [row for row in LAW.rows() if row.table == "thresholds"]
    words = {amount(row)[0].lstrip("0123456789.") for row in rows}
    assert not {word for word in words if re.search("[a-z]{4}|MAD", word)}
    assert [amount(row) for row in rows if row.columns["key"] == "scan_gap.share"] == [("5%", "5 %")]


def naming(*, names_customers: bool = True) -> Naming:
    sites = [
        SiteRecord(site_id="ST01", name="闵行充装站", type="filling_station", district="310112"),
        SiteRecord(site_id="C07", name="张记饭店", type="customer", district="310106"),
    ]
    owners = {"F1": OwnerRecord(owner_id="F1", name="第一燃气")}
    return Naming(LAW, {one.site_id: one for one in sites}, owners, names_customers)


@pytest.mark.parametrize(
    ("subject", "facts", "zh"),
    [
        ("ST01", {"site": "ST01"}, "闵行充装站"),
        ("F1", {"owner": "F1"}, "第一燃气"),
        ("ST01-H7", {"device": "ST01-H7", "site": "ST01"}, "设备 ST01-H7"),
        ("ST01-G2", {"gun": "ST01-G2"}, "充装枪 ST01-G2"),
        ("ST01-F3", {"person": "ST01-F3"}, "人员 ST01-F3"),
        ("3310000900001", {"operator": "ST01-F3"}, "3310000900001"),
    ],
)
def test_whom_an_alert_is_about_is_named_or_numbered_with_what_it_is(
    subject: str, facts: dict[str, str], zh: str
) -> None:
    assert naming().subject(subject, facts).zh == zh


def test_a_sentence_names_what_its_facts_name_by_id() -> None:
    template = (
        "登记介质 {registered}，{owner} 的 {depot} 在 {district} 充装 {filled}。",
        "{registered}, {filled} kg",
    )
    facts = {"registered": "o2", "owner": "F1", "depot": "ST01", "district": "310106", "filled": "ar+co2"}
    zh, en = naming().told(template, facts)
    assert zh == "登记介质氧，第一燃气的闵行充装站在静安区充装氩+二氧化碳。"
    assert en.startswith("oxygen, argon")


def test_a_mass_is_no_medium_though_the_fact_has_the_same_name() -> None:
    assert naming().told(("充装 {filled} kg", "{filled} kg"), {"filled": 15.3}) == ("充装 15.3 kg", "15.3 kg")


def test_a_customer_is_a_customer_of_a_district_where_names_are_not_to_be_read() -> None:
    assert naming(names_customers=False).site("C07") == ("静安区用户", "a customer in Jing'an")
    assert naming().site("C07").zh == "张记饭店"


def test_a_place_that_is_not_in_the_register_is_said_to_be_none() -> None:
    assert naming().site("X9") == ("未登记场所 X9", "unregistered place X9")
    assert naming().subject("X9", {"site": "X9"}).zh == "未登记场所 X9"
    told = naming().told(
        ("{site} 有 {cylinders} 只", "{site} has {cylinders}."), {"site": "X9", "cylinders": 3}
    )
    assert told == ("未登记场所 X9 有 3 只", "Unregistered place X9 has 3.")


def test_a_firm_that_is_not_in_the_register_is_named_by_its_id() -> None:
    assert naming().owner("ST99").zh == "ST99"
    assert naming().site(None).en == "unknown"


def test_an_alert_that_lacks_a_fact_can_still_be_told() -> None:
    assert naming().told(("超期 {days_over} 天", "{days_over} days"), {}).zh == "超期 … 天"


def test_every_fact_of_a_rule_is_told_by_name_or_needs_none() -> None:
    """A new fact that holds an id belongs into `law/naming.py`; one that does not belongs here."""
    plain = {
        *(
            "valid_until",
            "life_end",
            "filled_on",
            "days_over",
            "hours",
            "allowed",
            "tolerance",
            "unit",
        ),
        *("first_at", "basis_zh", "basis_en", "since", "last", "month", "ended", "days", "times"),
        *("operator", "person", "approved_by", "device", "gun", "counter", "first_code", "model", "reason"),
        *("rules_zh", "rules_en", "way_zh", "way_en", "zh", "en", "day", "night", "last_day", "received"),
        *(
            "came",
            "left",
            "come",
            "gone",
            "missing",
            "number",
            "places",
            "customers",
            "deliveries",
            "delivers",
        ),
        *("fills", "gaps", "inspected", "inspections", "keyed", "lines", "scans", "chance", "percent"),
        *("city_percent", "days_late", "usual_days", "minutes", "quickest_s", "shortest_s", "km"),
        *("kg", "limit_kg", "mean_kg", "nominal_kg", "tare_zh", "tare_en", "earlier_number", "later_day"),
        *("code", "cylinders", "why_zh", "why_en", "status_zh", "status_en"),
        *("job", "due", "channel", "number", "since", "answer", "address", "addresses"),
        *("flooding", "told"),
    }
    asked = {
        name
        for rule in RULES.values()
        for text in rule.words.fact
        for _, name, _, _ in Formatter().parse(text)
        if name
    }
    assert not asked - plain - MEDIA - SITES - OWNERS - DISTRICTS

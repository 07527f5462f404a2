"""What the pages show: every field of every event, names instead of ids, and nothing but text of what people wrote."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from cylinder_trace.contract.event import KINDS, REFERENCE_KINDS
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.store import alerts, parties, work
from cylinder_trace.store.alerts import Scope
from tests.web.conftest import PASSWORD, SignIn
from tests.world import (
    CUSTOMERS,
    DEPOT,
    MINHANG,
    STATION,
    World,
    checked,
    code,
    corrected,
    filled,
    made,
    moved,
    ms,
    registered,
    well_filled,
)

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> _Read:
    reader = _Read()
    reader.feed(page)
    return reader


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(read(page).text))


def alert_of(world: World, rule: str) -> dict[str, Any]:
    with world.database.reading() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"rule": rule}, 10)
    return rows[0]


def overdue(world: World, which: str = code(1)) -> dict[str, Any]:
    """An overdue fill, judged; gives the fill."""
    fill = filled(which, 1, gun_id="gun-7", batch="B-12", tare_kg=16.5, gross_kg=31.2, note="雨天")
    world.post([registered(which, valid_until="2026-01-31", maker="上海气瓶厂", volume_l=35.5), fill])
    world.judge(1)
    return fill


# --- a cylinder's life ----------------------------------------------------------------------------------------


def test_every_field_of_an_event_is_on_the_page(pages: World, signed_in: SignIn) -> None:
    fill = overdue(pages)
    page = signed_in("city").get(f"/cylinders/{code(1)}").text
    said = text_of(page)
    for words in (
        "操作人员 op-1",
        "充装枪 gun-7",
        "批次 B-12",
        "皮重（千克） 16.5",
        "毛重（千克） 31.2",
        "备注 雨天",
    ):
        assert words in said
    for words in (
        "介质 液化石油气",
        "产权单位 第一燃气（firm-1）",
        "制造单位 上海气瓶厂",
        "品种 液化石油气钢瓶",
    ):
        assert words in said
    assert fill["event_id"] in said
    assert f"设备序号 {fill['device_seq']:,}" in said
    assert len(re.findall(r"\b[0-9a-f]{64}\b", said)) == 2  # both leaf hashes, whole


def test_a_correction_and_what_it_corrects_point_at_each_other(pages: World, signed_in: SignIn) -> None:
    wrong = filled(code(1), 1)
    right = corrected(wrong, 2)
    pages.post([registered(code(1)), wrong, right])
    pages.judge(2)
    page = signed_in("city").get(f"/cylinders/{code(1)}").text
    for target in (wrong["event_id"], right["event_id"]):
        assert f'href="#e-{target}"' in page
        assert f'id="e-{target}"' in page
    assert re.search(rf'class="event voided" id="e-{wrong["event_id"]}"', page)
    assert "并未发生" in text_of(page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_life_with_every_kind_of_event_has_a_word_for_each_field(
    pages: World, signed_in: SignIn, lang: str
) -> None:
    which = code(1)
    life = [
        registered(which, codes=[{"kind": "stamp", "code": "STAMP-00077"}], design_life_years=8),
        made("update", -900, cylinder_code=which, cylinder={"valve": "YSF-2"}, document_no="变-1"),
        made("tag_bind", -800, cylinder_code=which, new_code="QR-1000077", reason="补贴"),
        made("transfer", -700, cylinder_code=which, new_owner_id="firm-2", document_no="转-1"),
        *well_filled(which, 1),
        moved("ship", which, 3, STATION, DEPOT),
        moved("receive", which, 4, STATION, DEPOT),
        made(
            "deliver",
            5,
            cylinder_code=which,
            site_id=DEPOT,
            from_site=DEPOT,
            to_site=CUSTOMERS[0],
            real_name_verified=True,
            safety_check="pass",
        ),
        moved("return", which, 6, CUSTOMERS[0], DEPOT),
        made(
            "inspect",
            7,
            cylinder_code=which,
            result="pass",
            valid_until="2030-05-31",
            agency_licence_no="TS7-1",
            inspector_id="i-1",
            reviewer_id="i-2",
        ),
        made("repair", 8, cylinder_code=which, part="瓶阀", old_part_no="V1", new_part_no="V2"),
        made("stop", 9, cylinder_code=which, reason="备用", site_id=STATION),
        made("resume", 10, cylinder_code=which, reason="启用", site_id=STATION),
        made("lost", 11, cylinder_code=which, site_id=STATION),
        made("found", 12, cylinder_code=which, site_id=STATION),
        made("hold", 13, cylinder_code=which, authority="闵行区市场监管局", document_no="封-1"),
        made("release", 14, cylinder_code=which, authority="闵行区市场监管局"),
        made("observe", 15, cylinder_code=which, lat=31.1, lon=121.4, photo_sha256="0" * 64),
        checked(
            "fill_check", which, 16, result="fail", items_failed=["瓶体", "阀门"], residual_pressure_mpa=0.2
        ),
        made(
            "override",
            16.5,
            cylinder_code=which,
            overrides=["zombie"],
            reason="误报失",
            approved_by="示例站长",
        ),
        made("scrap", 17, cylinder_code=which, method="压扁", person="p-1"),
    ]
    pages.post(life)
    pages.judge(20)
    answer = signed_in("city", lang).get(f"/cylinders/{which}?events=open&legs=all")
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert answer.text.count('class="event"') == len(life)
    assert answer.text.count(" open>") == len(life)
    words = {
        "zh": ("瓶体、阀门", "已核验实名 是", "钢印号 STAMP-00077"),
        "en": ("Real name verified yes", "stamp STAMP-00077"),
    }
    for one in words[lang]:
        assert one in said
    seen = {event["kind"] for event in life}
    assert seen >= set(KINDS) - REFERENCE_KINDS - {"tag_replace", "correct"}


def test_a_long_trail_is_drawn_in_its_last_legs_until_all_are_asked_for(
    pages: World, signed_in: SignIn
) -> None:
    ways = [
        moved(kind, code(1), hour + turn * 24, *ends)
        for turn in range(5)
        for hour, kind, ends in (
            (1, "ship", (STATION, DEPOT)),
            (2, "receive", (STATION, DEPOT)),
            (3, "deliver", (DEPOT, CUSTOMERS[turn])),
            (4, "return", (CUSTOMERS[turn], DEPOT)),
        )
    ]
    pages.post([registered(code(1)), *ways])
    pages.judge(200)
    browser = signed_in("city")
    last, every = (browser.get(f"/cylinders/{code(1)}{query}").text for query in ("", "?legs=all"))
    legs = int(re.search(r"最近 12 段，共 (\d+) 段", last)[1])  # type: ignore[index]
    assert legs > 12
    assert "customer-1" not in last.split("<svg")[-1].split("</svg>")[0]
    assert "customer-1" in every.split("<svg")[-1].split("</svg>")[0]
    for page in (last, every):  # the list names all of them either way
        assert page.split("leg-list")[1].count("<tr>") == legs + 1


def test_a_cylinder_of_which_only_a_scan_is_known_has_a_page(pages: World, signed_in: SignIn) -> None:
    pages.post([made("observe", 1, cylinder_code=code(9), site_id="ST-unheard-of")])
    pages.judge(1)
    said = text_of(signed_in("city").get(f"/cylinders/{code(9)}").text)
    assert "未查到登记" in said
    assert "ST-unheard-of" in said
    assert "None" not in said


# --- alerts ---------------------------------------------------------------------------------------------------


def test_an_alert_shows_its_law_its_evidence_and_names_instead_of_ids(
    pages: World, signed_in: SignIn
) -> None:
    pages.post([registered(code(1), owner_id="firm-2"), filled(code(1), 1)])
    pages.judge(1)
    alert = alert_of(pages, "foreign_fill")
    said = text_of(signed_in("minhang").get(f"/alerts/{alert['fingerprint']}").text)
    assert "该瓶产权单位为第二燃气，由第一燃气的充装站充装" in said
    assert "《城镇燃气管理条例》第十八条第（七）项、第（八）项" in said
    assert "《上海市燃气管理条例》第四十四条（未经核实）" in said
    assert "闵行区" in said
    assert "2026-05-04 09:00 北京时间" in said
    assert "充装量（千克） 14.5" in said


def test_a_number_that_nobody_confirmed_says_so(pages: World, signed_in: SignIn) -> None:
    pages.post([registered(code(1)), filled(code(1), 1, gas_mass_kg=16.0)])
    pages.judge(1)
    alert = alert_of(pages, "overfill")
    said = text_of(signed_in("city").get(f"/alerts/{alert['fingerprint']}").text)
    assert re.search(r"0\.3 kg （未经核实）", said)
    # and the end of a life that rests on an unconfirmed row, for regulators and the public alike
    for path in (f"/cylinders/{code(1)}", f"/c/{code(1)}"):
        assert re.search(
            r"使用年限至 20\d\d-\d\d-\d\d （未经核实）", text_of(signed_in("city").get(path).text)
        )


def test_a_withdrawn_alert_says_which_late_record_explains_it(pages: World, signed_in: SignIn) -> None:
    overdue(pages)
    agency = SiteRecord(site_id="agency-1", name="申检所", type="inspection_agency", district=MINHANG)
    with pages.database.writing() as connection:
        parties.put_records(connection, [agency])
    late = made(
        "inspect", 0.5, cylinder_code=code(1), result="pass", valid_until="2030-05-31", site_id="agency-1"
    )
    pages.post([late], received_ms=ms(30))
    pages.judge(30)
    alert = alert_of(pages, "fill_overdue")
    page = signed_in("city").get(f"/alerts/{alert['fingerprint']}").text
    said = text_of(page)
    assert "已撤回" in said
    assert "因收到记录： 检验 2026-05-04 08:30 北京时间 · 申检所 · 合格 · 有效期至 2030-05-31" in said
    assert "接收时间 2026-05-05 14:00 北京时间" in said
    assert f"/cylinders/{code(1)}#e-{late['event_id']}" in page


def test_the_list_filters_by_what_was_chosen(pages: World, signed_in: SignIn) -> None:
    overdue(pages)
    browser = signed_in("city")
    shown = {
        query: text_of(browser.get(f"/alerts?{query}").text)
        for query in ("", "severity=2", f"status=open&district={MINHANG}")
    }
    assert ["检验有效期至" in said for said in shown.values()] == [True, False, True]


# --- the public and the monitors ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([registered(code(1))], "有效"),
        ([registered(code(1), valid_until="2026-01-31")], "超期，禁止使用"),
        ([registered(code(1)), made("scrap", 1, cylinder_code=code(1), method="压扁")], "已报废，禁止使用"),
        ([registered(code(1)), made("lost", 1, cylinder_code=code(1))], "暂停使用"),
        ([registered(code(1)), made("hold", 1, cylinder_code=code(1), authority="局")], "暂停使用"),
        ([], "未查到登记"),
    ],
    ids=["valid", "overdue", "scrapped", "lost", "sealed", "unknown"],
)
def test_the_public_sees_whether_a_bottle_may_be_used(
    pages: World, app: Any, events: list[Any], words: str
) -> None:
    pages.post(events)
    pages.judge(2)
    answer = app.test_client().get(f"/c/{code(1)}")
    assert answer.status_code == 200
    assert re.search(rf"<h1>{words}</h1>", answer.text)


def test_health_tells_a_failed_and_a_late_job_from_a_well_one(pages: World, app: Any) -> None:
    now_ms, client = ms(48), app.test_client()
    assert client.get("/health").status_code == 200
    for columns, status in (
        ({"last_success_ms": now_ms - 5000, "next_run_ms": now_ms + 5000, "last_error": None}, 200),
        ({"next_run_ms": now_ms - 3_600_000}, 503),
        ({"next_run_ms": now_ms + 5000, "last_error": "OperationalError: db.intern:5432 refused"}, 503),
    ):
        with pages.database.writing() as connection:
            work.note(connection, "sweep", **columns)
        assert client.get("/health").status_code == status


# --- what people wrote is text --------------------------------------------------------------------------------


@pytest.fixture
def hostile(pages: World) -> str:
    """A world in which names, notes, reasons and facts try to be markup; gives an alert's fingerprint."""
    site = SiteRecord(
        site_id=STATION, name=HOSTILE, type="filling_station", owner_id="firm-1", district=MINHANG
    )
    with pages.database.writing() as connection:
        parties.put_records(connection, [site])
    pages.post(
        [
            registered(code(1), valid_until="2026-01-31", maker=HOSTILE),
            filled(code(1), 1, note=HOSTILE),
            moved("ship", code(1), 2, STATION, DEPOT) | {"vehicle": HOSTILE},
            moved("receive", code(1), 3, STATION, DEPOT),
        ]
    )
    pages.judge(3)
    alert = alert_of(pages, "fill_overdue")
    return str(alert["fingerprint"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_people_wrote_is_text_on_every_page(
    pages: World, signed_in: SignIn, hostile: str, lang: str
) -> None:
    city, operator = signed_in("city", lang), signed_in("op-1", lang)
    paths = ["/", "/alerts", f"/alerts/{hostile}", f"/cylinders/{code(1)}", f"/c/{code(1)}", f"/c/{HOSTILE}"]
    paths += [f"/?code={HOSTILE}", f"/cylinders/{HOSTILE}", f"/alerts?site_id={HOSTILE}&rule={HOSTILE}"]
    seen = 0
    for browser, path in [
        *((city, path) for path in paths),
        (operator, "/scan"),
        (operator, f"/nothing/{HOSTILE}"),
    ]:
        seen += looked_at(browser, path)
    assert seen > 10  # the hostile words were there to be shown


def looked_at(browser: FlaskClient, path: str) -> int:
    page = browser.get(path).text
    reader = read(page)
    assert not [
        tag for tag, attributes in reader.tags if any(name.startswith("on") for name in attributes)
    ], path
    scripts = [attributes.get("src") for tag, attributes in reader.tags if tag == "script"]
    assert all((src or "").startswith("/static/") for src in scripts), path
    assert not [
        attributes for tag, attributes in reader.tags if tag == "img" and attributes.get("src") == "x"
    ], path
    return page.count("&lt;script&gt;")


def test_a_failed_sign_in_gives_the_name_back_as_text(app: Any) -> None:
    page = app.test_client().post("/sign-in", data={"username": HOSTILE, "password": PASSWORD}).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_scrapped_cylinder_is_drawn_as_valid_up_to_that_day_only(pages: World, signed_in: SignIn) -> None:
    pages.post([registered(code(1)), *well_filled(code(1), 1)])
    pages.sweep(2)
    client = signed_in("city")
    assert "term overdue" not in client.get(f"/cylinders/{code(1)}").text
    pages.post([made("scrap", 20, cylinder_code=code(1), method="压扁")])
    pages.sweep(21)
    assert "term overdue" in client.get(f"/cylinders/{code(1)}").text

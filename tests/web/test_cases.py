"""Cases on the pages and through the API: who sees and does what, and what is sent in with a report."""

import gc
import io
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cylinder_trace.exchange import attachments, paper
from cylinder_trace.exchange.attachments import NotAccepted, accepted, clean_name
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.store import alerts
from cylinder_trace.store.alerts import Scope
from tests.web.conftest import SignIn, strict
from tests.world import CUSTOMERS, MINHANG, World, code, filled, ms, registered

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 64 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40 + b"\0\0\0\0IEND\xaeB`\x82"
PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
DUE = "2026-05-20"
OF_THE_CLIENT = pytest.mark.filterwarnings(
    "ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
"""What a test's browser, or a line that is cut, leaves for the collector to close."""


@pytest.fixture
def fingerprint(pages: World) -> str:
    """An overdue fill in Minhang."""
    pages.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    pages.judge(1)
    with pages.database.reading() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"rule": "fill_overdue"}, 1)
    return str(rows[0]["fingerprint"])


@pytest.fixture
def issued(signed_in: SignIn, fingerprint: str) -> str:
    """The address of a case that was issued by `minhang`, in the API."""
    officer = signed_in("minhang")
    made = officer.post("/api/v1/cases", json={"fingerprints": [fingerprint]})
    assert made.status_code == 201
    address = f"/api/v1/cases/{made.get_json()['case_id']}"
    assert officer.post(f"{address}/issue", data={"version": 0}).status_code == 200
    return address


def sent(client: FlaskClient, address: str, *files: tuple[str, bytes], step: str = "report") -> Any:
    version = client.get(address).get_json()["version"]
    data = {"version": version, "why": "已整改", "files": [(io.BytesIO(body), name) for name, body in files]}
    return client.post(f"{address}/{step}", data=data, content_type="multipart/form-data")


def page_of(address: str) -> str:
    return address.removeprefix("/api/v1")


# --- the way of a case, on the pages --------------------------------------------------------------------------


def test_a_case_goes_from_the_alerts_page_to_its_end_by_three_people(
    signed_in: SignIn, fingerprint: str
) -> None:
    officer, other, station = signed_in("minhang"), signed_in("minhang-2"), signed_in("manager-1")
    assert "立案" in officer.get(f"/alerts/{fingerprint}").text
    assert "立案" not in signed_in("city").get(f"/alerts/{fingerprint}").text
    made = officer.post("/cases", data={"fingerprint": fingerprint})
    page = made.headers["Location"]
    draft = officer.get(page).text
    assert "预览草稿" in draft
    saved = {"version": 0, "facts": "现场核实属实。", "demands": "立即停用并送检。", "due_day": DUE}
    officer.post(f"{page}/edit", data=saved)
    assert officer.post(f"{page}/issue", data={"version": 1}).status_code == 302
    assert "市监特令〔2026〕1号" in officer.get(f"/alerts/{fingerprint}").text
    assert DUE in station.get("/cases").text
    report = {"version": 2, "why": "已送检", "files": (io.BytesIO(JPEG), "现场.jpg")}
    assert station.post(f"{page}/report", data=report).status_code == 302
    assert "复查合格，结案" not in officer.get(page).text  # he issued it
    assert "复查合格，结案" in other.get(page).text
    other.post(f"{page}/pass", data={"version": 3, "why": "现场复查，已停用"})
    assert "经复查合格结案" in officer.get(page).text
    assert "现场.jpg" in officer.get(page).text


def test_who_was_slower_is_told_and_sees_how_it_stands(signed_in: SignIn, issued: str) -> None:
    station, page = signed_in("manager-1"), page_of(issued)
    sent(station, issued)
    late = station.post(f"{page}/appeal", data={"version": 1, "why": "不对"})
    assert late.status_code == 409
    assert "他人已先办理" in late.text
    assert "已报整改，待复查" in late.text
    answer = station.post(f"{issued}/appeal", data={"version": 1, "why": "不对"})
    assert (answer.status_code, answer.get_json()["error"]) == (409, "quicker")
    assert answer.get_json()["case"]["state"] == "reported"


def test_a_station_is_not_told_who_at_the_office_did_it(signed_in: SignIn, issued: str) -> None:
    for who, told in (("manager-1", False), ("minhang-2", True), ("city", True)):
        whole = signed_in(who).get(issued).get_json()
        assert (whole["log"][0]["by"] == "minhang") is told
        log = signed_in(who).get(page_of(issued)).text.split("<h2>办理记录")[1]
        assert ("minhang 的人" in log) is told


# --- whose it is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["manager-2", "songjiang", "op-1", "op-2"])
def test_a_case_is_not_there_for_others(signed_in: SignIn, issued: str, who: str) -> None:
    sent(signed_in("manager-1"), issued, ("a.jpg", JPEG))
    stranger, page = signed_in(who), page_of(issued)
    for path in (issued, page, f"{page}/paper", f"{page}/paper.pdf", f"{page}/files/2/0"):
        assert stranger.get(path).status_code == 404, path
    for step in ("report", "pass", "fail", "uphold", "escalate"):
        data = {"version": 2, "why": "x", "due_day": DUE}
        assert stranger.post(f"{issued}/{step}", data=data).status_code == 404
        assert stranger.post(f"{page}/{step}", data=data).status_code == 404
    assert stranger.get("/api/v1/cases").get_json()["total"] == 0


def test_a_draft_is_read_by_its_own_district_only(signed_in: SignIn, fingerprint: str) -> None:
    made = signed_in("minhang").post("/api/v1/cases", json={"fingerprints": [fingerprint]})
    address = f"/api/v1/cases/{made.get_json()['case_id']}"
    seen = {who: signed_in(who).get(address).status_code for who in ("minhang-2", "city", "manager-1")}
    assert seen == {"minhang-2": 200, "city": 404, "manager-1": 404}


def test_each_person_is_offered_what_is_theirs_and_refused_the_rest(signed_in: SignIn, issued: str) -> None:
    may = {who: signed_in(who).get(issued).get_json()["may"] for who in ("minhang", "manager-1", "city")}
    assert may == {"minhang": ["extend", "escalate"], "manager-1": ["report", "appeal"], "city": []}
    answer = signed_in("manager-1").post(f"{issued}/pass", data={"version": 1, "why": "x"})
    assert (answer.status_code, answer.get_json()["error"]) == (403, "not_yours")
    sent(signed_in("manager-1"), issued)
    answer = signed_in("minhang").post(f"{issued}/pass", data={"version": 2, "why": "x"})
    assert (answer.status_code, answer.get_json()["error"]) == (403, "of_another")


def test_only_a_district_makes_cases_and_only_of_its_own_alerts(signed_in: SignIn, fingerprint: str) -> None:
    for who, status in (("city", 403), ("manager-1", 403), ("op-1", 403), ("songjiang", 404)):
        answer = signed_in(who).post("/api/v1/cases", json={"fingerprints": [fingerprint]})
        assert answer.status_code == status, who
    letter = {"kind": "remind", "district": MINHANG, "demands": "请核查", "due_day": DUE}
    assert signed_in("minhang").post("/api/v1/cases", json=letter).status_code == 403
    assert signed_in("city").post("/api/v1/cases", json=letter).status_code == 201


def test_a_form_of_a_case_that_another_site_made_is_refused(pages: World, issued: str) -> None:
    client = strict(pages.database, pages).test_client()
    for path in ("/cases", f"{page_of(issued)}/report", f"{issued}/report", "/api/v1/cases", "/cases/letter"):
        assert client.post(path).status_code == 400


def test_no_case_is_there_for_who_is_not_signed_in(app: Flask, issued: str) -> None:
    client = app.test_client()
    assert client.get(issued).status_code == 401
    assert client.get(page_of(issued)).status_code == 302
    assert client.post(f"{issued}/report").status_code == 401


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 2**64, 10**30])
def test_a_number_that_no_case_has_is_answered_as_one(signed_in: SignIn, number: int) -> None:
    officer = signed_in("minhang")
    assert officer.get(f"/cases/{number}").status_code == 404
    assert officer.get(f"/api/v1/cases/{number}").status_code in {400, 404}
    assert officer.get(f"/cases/{number}/files/{number}/{number}").status_code == 404


# --- what is sent in ------------------------------------------------------------------------------------------


def test_a_file_is_kept_as_it_is_and_given_back_to_be_saved(signed_in: SignIn, issued: str) -> None:
    said = "../../etc/<b>现场\u202egpj.php"
    answer = sent(signed_in("manager-1"), issued, (said, PNG), ("报告.PDF", PDF))
    assert answer.status_code == 200
    files = answer.get_json()["log"][-1]["files"]
    assert [one["name"] for one in files] == ["b现场gpj.php.png", "报告.pdf"]
    got = signed_in("minhang").get(files[0]["address"])
    assert got.data == PNG
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    said_as = got.headers["Content-Disposition"]
    assert said_as.isascii()
    assert unquote(said_as) == "attachment; filename*=UTF-8''b现场gpj.php.png"
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "body",
    [b"<svg onload=alert(1)>", b"MZ\x90", b"", b"GIF89a", JPEG[:-2], PNG[:-8], PDF[:-6], b"PK\x03\x04"],
    ids=["svg", "exe", "nothing", "gif", "cut jpeg", "cut png", "cut pdf", "zip"],
)
def test_a_file_that_is_not_what_is_taken_or_is_cut_off_leaves_the_case_as_it_was(
    signed_in: SignIn, issued: str, body: bytes
) -> None:
    station = signed_in("manager-1")
    answer = sent(station, issued, ("ok.jpg", JPEG), ("photo.jpg", body))
    assert (answer.status_code, answer.get_json()["error"]) == (415, "file_not_accepted")
    assert "photo" in answer.get_json()["zh"]
    whole = station.get(issued).get_json()
    assert (whole["state"], whole["version"]) == ("issued", 1)


@OF_THE_CLIENT
def test_a_file_or_a_body_that_is_too_large_is_refused(
    signed_in: SignIn, issued: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = signed_in("manager-1")
    large = JPEG[:-2] + b"\0" * attachments.LARGEST_BYTES + JPEG[-2:]
    assert sent(station, issued, ("a.jpg", large)).status_code == 413
    assert sent(station, issued, *[(f"{n}.jpg", JPEG) for n in range(21)]).status_code == 415
    near = JPEG[:-2] + b"\0" * (attachments.LARGEST_BYTES - 100) + JPEG[-2:]
    assert sent(station, issued, *[(f"{n}.jpg", near) for n in range(7)]).status_code == 413
    page = station.post(
        f"{page_of(issued)}/report",
        data={"version": 1, "files": [(io.BytesIO(near), f"{n}.jpg") for n in range(7)]},
    )
    assert page.status_code == 413
    assert station.get(issued).get_json()["version"] == 1
    assert sent(station, issued, ("a.jpg", near)).status_code == 200
    gc.collect()


@OF_THE_CLIENT
def test_who_is_not_signed_in_sends_no_more_than_elsewhere(app: Flask, issued: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for size, status in ((1024, 400), (app.config["MAX_CONTENT_LENGTH"], 413)):  # 400: no token
        for path in (f"{page_of(issued)}/report", f"{issued}/report"):
            body = {"files": (io.BytesIO(b"\0" * size), "a.jpg")}
            assert app.test_client().post(path, data=body).status_code == status
    gc.collect()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("C:\\fakepath\\照片 1.JPG", "照片 1.jpg"),
        ("../../../etc/passwd", "passwd.jpg"),
        ("a.exe", "a.exe.jpg"),
        ("...", "file.jpg"),
        ("", "file.jpg"),
        ("x" * 500 + ".jpeg", "x" * 100 + ".jpeg"),
        ("a\r\nSet-Cookie: b.jpg", "aSet-Cookie b.jpg"),
        ("nul\0l.jpg", "l.jpg"),
    ],
)
def test_a_files_name_is_kept_without_what_could_harm(said: str, kept: str) -> None:
    assert clean_name(said, "image/jpeg") == kept


def test_each_kind_that_is_taken_is_known_by_its_bytes() -> None:
    kept = accepted([("a", JPEG), ("b.jpg", PNG), ("c.exe", PDF)])
    assert [one.media_type for one in kept] == ["image/jpeg", "image/png", "application/pdf"]
    with pytest.raises(NotAccepted):
        accepted([("a.jpg", JPEG)] * (attachments.MOST_FILES + 1))


# --- its paper ------------------------------------------------------------------------------------------------


def test_the_paper_says_facts_law_evidence_demands_and_deadline(signed_in: SignIn, issued: str) -> None:
    answer = signed_in("manager-1").get(f"{page_of(issued)}/paper")
    text, evidence = answer.text, signed_in("manager-1").get(issued).get_json()["evidence"]
    assert evidence
    for said in (
        "station-1 点",
        "闵行区市场监督管理局",
        "（闵行区）市监特令〔2026〕1号",
        "二〇",
        "minhang 的人",
    ):
        assert said in text or said == "二〇"
    for one in evidence:
        assert one["event_id"] in text
        assert one["leaf_hash"] in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "草稿" not in text


def test_a_paper_stays_as_it_was_issued_whatever_the_alert_says_later(
    signed_in: SignIn, issued: str, pages: World
) -> None:
    before = signed_in("minhang").get(f"{page_of(issued)}/paper").data
    pages.post([filled(code(1), 3)])
    pages.judge(4)
    assert signed_in("minhang").get(f"{page_of(issued)}/paper").data == before


def test_a_draft_is_marked_as_one_and_has_no_number(signed_in: SignIn, fingerprint: str) -> None:
    officer = signed_in("minhang")
    page = officer.post("/cases", data={"fingerprint": fingerprint}).headers["Location"]
    text = officer.get(f"{page}/paper").text
    assert "草稿 DRAFT" in text
    assert "文号待定" in text


def test_what_an_officer_writes_is_text_on_the_paper_and_the_page(
    signed_in: SignIn, fingerprint: str
) -> None:
    officer, evil = signed_in("minhang"), "<script>alert(1)</script>"
    page = officer.post("/cases", data={"fingerprint": fingerprint}).headers["Location"]
    officer.post(f"{page}/edit", data={"version": 0, "facts": evil, "demands": evil, "due_day": DUE})
    for path in (page, f"{page}/paper"):
        assert evil not in officer.get(path).text
        assert "&lt;script&gt;" in officer.get(path).text


def test_a_paper_names_no_customer(signed_in: SignIn, pages: World, fingerprint: str) -> None:
    officer = signed_in("minhang")
    page = officer.post("/cases", data={"fingerprint": fingerprint}).headers["Location"]
    assert not [one for one in CUSTOMERS if one in officer.get(f"{page}/paper").text]


def test_the_paper_is_given_as_pdf(signed_in: SignIn, issued: str) -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:  # its own libraries are Debian's
        pytest.skip(f"WeasyPrint finds no Pango: {error}")
    answer = signed_in("manager-1").get(f"{page_of(issued)}/paper.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Type"] == "application/pdf"


def test_without_the_pdf_component_the_page_says_what_to_do(
    signed_in: SignIn, issued: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(paper.NoPdf):
        paper.as_pdf("<p>")
    answer = signed_in("minhang").get(f"{page_of(issued)}/paper.pdf")
    assert answer.status_code == 501
    assert "cylinder-trace[pdf]" in answer.text


def test_the_list_shows_what_is_late_first(signed_in: SignIn, app: Flask, issued: str, pages: World) -> None:
    pages.post([registered(code(2), valid_until="2026-01-31"), filled(code(2), 1)])
    pages.judge(2)
    officer = signed_in("minhang")
    with pages.database.reading() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"subject": code(2), "rule": "fill_overdue"}, 1)
    officer.post("/cases", data={"fingerprint": rows[0]["fingerprint"]})
    here = app.extensions["cylinder_trace"]
    object.__setattr__(here, "now_ms", lambda: ms(48) + 20 * DAY_MS)
    listed = officer.get("/cases").text
    assert "逾期" in listed.split('class="alerts"')[1]
    assert [one["state"] for one in officer.get("/api/v1/cases").get_json()["cases"]] == ["issued", "draft"]
    assert officer.get("/api/v1/cases?overdue=true").get_json()["total"] == 1
    assert local_day(here.now_ms()) > local_day(ms(48))

"""What an alert mail says and how it travels: readable in both languages, whole in every header, nothing from outside."""

import email
import email.policy
import io
import json
import re
from email.message import EmailMessage
from html import unescape
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.tables import load
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.mail.layout import STYLE
from cylinder_trace.settings import Settings
from cylinder_trace.store.alerts import Scope
from cylinder_trace.telling import Group
from cylinder_trace.web.pages.shown_alert import explained, naming_for, shown

AT_MS = 1_777_852_800_000  # 2026-05-04 08:00 in Shanghai
OVERDUE = {
    "valid_until": "2026-01-31",
    "filled_on": "2026-05-04",
    "days_over": 93,
    "basis_zh": "",
    "basis_en": "",
}
HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/x>"


def reference(station: str = "闵行液化气充装站") -> Reference:
    records = [
        OwnerRecord(owner_id="F1", name="第一燃气"),
        OwnerRecord(owner_id="F2", name="第二燃气"),
        SiteRecord(site_id="ST01", name=station, type="filling_station", owner_id="F1", district="310112"),
        SiteRecord(site_id="DP01", name="静安配送站", type="depot", owner_id="F1", district="310106"),
        SiteRecord(site_id="C07", name="张三（昌平路 9 号 402）", type="customer", district="310106"),
    ]
    return Reference.of(load(), records, [])


def alert(number: int = 1, facts: dict[str, Any] = OVERDUE, **columns: Any) -> dict[str, Any]:
    """An alert as the store hands it to delivery."""
    body = json.dumps({"facts": facts, "evidence": ["e-1"]})
    row = {"fingerprint": f"{number:032x}", "subject": f"CT{number:06d}", "at_ms": AT_MS, "body": body}
    return row | columns


def group(
    *alerts: dict[str, Any], rule: str = "fill_overdue", reason: str = "first", site: str | None = "ST01"
) -> Group:
    return Group("k" * 40, rule, reason, site, "310112", list(alerts or [alert()]))


def mail_of(
    some: Group, who: Reference | None = None, sender: str = "气瓶追溯 <trace@example.org>"
) -> EmailMessage:
    channel = SmtpChannel(Settings(public_url="https://qp.example.cn", mail_from=sender))
    subject, message_id, body = channel.rendered(some, "team@example.org", who or reference(), AT_MS)
    read = email.message_from_bytes(body, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert (read["Subject"], read["Message-ID"]) == (subject, message_id)
    # What a mail server takes without changing it: ASCII, CRLF, and lines of no more than 998 characters.
    assert body.isascii()
    assert not re.search(rb"(?<!\r)\n", body)
    assert max(map(len, body.split(b"\r\n"))) <= 998
    return read


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


# --- what it says ---------------------------------------------------------------------------------------------


def test_promise_16_a_mail_reads_from_what_happened_and_what_usually_explains_it_to_what_to_do_and_the_law() -> (
    None
):
    mail = mail_of(group())
    assert mail["Subject"] == "[气瓶预警] 超期未检充装 · 闵行液化气充装站 · 立即处置"
    assert text_of(mail).rstrip() == "\n".join(
        [
            "▲ 立即处置 超期未检充装",
            "  Filled after the inspection ran out",
            "",
            "为何发送：首次发现",
            "  Why you get this: Found for the first time",
            "级别：1 级，立即处置",
            "  Severity: 1, at once",
            "辖区：闵行区",
            "  District: Minhang",
            "地点：闵行液化气充装站",
            "",
            "事实 Facts",
            "",
            "1. CT000001",
            "   2026-05-04 08:00 北京时间 (UTC+8)",
            "   检验有效期至 2026-01-31，2026-05-04 充装，超期 93 天。",
            "   Inspection valid through 2026-01-31; filled on 2026-05-04, 93 days over.",
            f"   https://qp.example.cn/alerts/{1:032x}",
            "",
            "常见无责原因：检验记录晚于充装上传。",
            "  Likely innocent cause: The inspection was recorded later than the fill.",
            "可定性的一项事实：充装日之前该瓶的检验报告。",
            "  The fact that would settle it: The cylinder's inspection report from before the fill.",
            "处置：立即停用并追回该瓶，送检验机构检验合格后方可充装；核查当班检查记录。",
            f"  What to do: {RULES['fill_overdue'].words.remedy[1]}",
            "依据：《中华人民共和国特种设备安全法》第四十条；《中华人民共和国特种设备安全法》第四十九条",
            "  Law: Special Equipment Safety Law, art. 40; Special Equipment Safety Law, art. 49",
            "规则：超期未检充装（fill_overdue）",
            "  Rule: Filled after the inspection ran out",
            "",
            "—— 气瓶追溯 Cylinder Trace · 自动发送，请勿回复 / sent automatically, do not reply",
        ]
    )


def test_the_html_says_all_that_the_text_says() -> None:
    mail = mail_of(group())
    html = " ".join(unescape(re.sub(r"<[^>]+>", " ", html_of(mail))).split())
    for line in text_of(mail).splitlines():
        for said in re.split(r"：|: ", line, maxsplit=1):
            words = re.sub(r"^[ ▲—]*(1\. |立即处置 )?", "", said).strip()
            assert words in html or words.startswith("https://"), words
    assert f'href="https://qp.example.cn/alerts/{1:032x}"' in html_of(mail)


def test_ids_and_codes_are_told_by_name_in_both_languages() -> None:
    facts = {"owner": "F2", "filled_by": "F1"}
    text = text_of(mail_of(group(alert(facts=facts), rule="foreign_fill")))
    assert "该瓶产权单位为第二燃气，由第一燃气的充装站充装" in text
    wrong = text_of(mail_of(group(alert(facts={"registered": "o2", "filled": "ar"}), rule="medium_mismatch")))
    assert "登记介质氧，实际充装氩。" in wrong
    assert "Registered for oxygen, filled with argon." in wrong
    area = {"owner": "F1", "depot": "DP01", "district": "310106", "cylinders": 3}
    outside = text_of(mail_of(group(alert(facts=area, subject="F1"), rule="out_of_area", site="DP01")))
    assert "1. 第一燃气" in outside
    assert "静安区" in outside
    assert "Jing'an" in outside
    assert "310106" not in outside


def test_a_provision_that_nobody_confirmed_says_so() -> None:
    mail = mail_of(group(alert(facts={"owner": "F2", "filled_by": "F1"}), rule="foreign_fill"))
    for part in (text_of(mail), html_of(mail)):
        assert "《上海市燃气管理条例》第四十四条（未经核实）" in part
        assert "Shanghai Regulations on Gas, art. 44 (not confirmed)" in part


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_told_even_where_an_old_alert_lacks_a_fact(rule: str) -> None:
    text = text_of(mail_of(group(alert(facts={}), rule=rule)))
    assert RULES[rule].words.title[0] in text
    assert "{" not in text


@pytest.mark.parametrize("reason", ["first", "withdrawn"])
def test_an_alert_of_a_former_rule_is_told_by_its_id_and_cites_no_law(reason: str) -> None:
    mail = mail_of(group(alert(severity=2), rule="old_rule", reason=reason))
    for part in (text_of(mail), html_of(mail)):
        assert "已停用的规则 old_rule" in part
        assert "Former rule old_rule" in part
        assert "The rule behind this alert is no longer in force" in part
        assert "依据：" not in part
    assert "2 级" in text_of(mail)


@pytest.mark.parametrize(("lang", "title"), [("zh", "已停用的规则 old_rule"), ("en", "Former rule old_rule")])
def test_an_alert_of_a_former_rule_is_shown_on_pages(lang: str, title: str) -> None:
    scope = Scope("city")
    row = alert(rule="old_rule", severity=3, facts={}, site_id="ST01", district="310112") | {"facts": OVERDUE}
    naming = naming_for(reference(), scope)
    assert shown(row, naming, scope, lang)["title"] == title
    said = explained(row, naming, lang)
    assert (said["laws"], said["values"]) == ([], [])
    assert said["remedy"]


def test_no_customer_is_named_in_subject_facts_or_list() -> None:
    facts = {"from_site": "C07", "to_site": "C07"}
    alerts = [alert(number, facts, subject="C07") for number in range(1, 23)]
    for reason in ("first", "withdrawn"):
        raw = mail_of(group(*alerts, rule="deliver_without_fill", reason=reason, site="C07"))
        whole = f"{raw['Subject']} {text_of(raw)} {html_of(raw)} {attached(raw)}"
        assert "静安区用户" in whole
        assert "a customer in Jing'an" in unescape(whole)
        for secret in ("张三", "昌平路", "C07"):
            assert secret not in whole


# --- why it was sent ------------------------------------------------------------------------------------------

INSPECTED = {
    "kind": "inspect",
    "occurred_at": "2026-01-20T09:15:00+08:00",
    "site_id": "DP01",
    "result": "pass",
    "valid_until": "2030-01-31",
}


def test_a_withdrawn_alert_names_the_late_record_and_asks_for_nothing() -> None:
    late = alert(because_body=json.dumps(INSPECTED), because_received_ms=AT_MS + 86_400_000)
    mail = mail_of(group(late, reason="withdrawn"))
    text = text_of(mail)
    assert mail["Subject"] == "[气瓶撤回] 超期未检充装 · 闵行液化气充装站"
    assert text.startswith("✓ 已撤回 超期未检充装")
    when, received = "2026-01-20 09:15 北京时间 (UTC+8)", "2026-05-05 08:00 北京时间 (UTC+8)"
    record = f"检验 {when}，静安配送站，合格，有效期至 2030-01-31，接收于 {received}"
    assert f"晚到的记录：{record}" in text
    assert record in html_of(mail)
    assert "valid through 2030-01-31" in text
    assert "不要再据此处置" in text
    assert "追回该瓶" not in text


def test_a_withdrawn_alert_without_a_record_at_hand_still_says_that_it_is_void() -> None:
    text = text_of(mail_of(group(reason="withdrawn")))
    assert "已撤回：晚到的记录说明了情况" in text
    assert "晚到的记录：" not in text


@pytest.mark.parametrize(
    ("reason", "subject", "words"),
    [
        ("first", "[气瓶预警]", "首次发现"),
        ("again", "[气瓶预警]", "再次发现"),
        ("withdrawn", "[气瓶撤回]", "已撤回"),
        ("resolved", "[气瓶消除]", "已消除"),
    ],
)
def test_promise_3_withdrawn_resolved_and_found_again_are_three_different_words(
    reason: str, subject: str, words: str
) -> None:
    mail = mail_of(group(reason=reason))
    assert mail["Subject"].startswith(subject)
    assert f"为何发送：{words}" in text_of(mail)


# --- many at once ---------------------------------------------------------------------------------------------


def attached(mail: EmailMessage) -> list[tuple[Any, ...]]:
    """The rows of the workbook that is attached, without its heading."""
    [part] = mail.iter_attachments()
    assert part.get_filename() == "alerts.xlsx"
    book = load_workbook(io.BytesIO(part.get_payload(decode=True)))  # type: ignore[arg-type]
    return list(book.worksheets[0].iter_rows(min_row=2, values_only=True))


def test_promise_17_more_than_twenty_are_counted_linked_and_attached() -> None:
    mail = mail_of(group(*(alert(number) for number in range(1, 31))))
    text = text_of(mail)
    assert "30 起" in mail["Subject"]
    assert "20. CT000020" in text
    assert "21. " not in text
    assert "共 30 起" in text
    assert "https://qp.example.cn/alerts?status=&rule=fill_overdue&site_id=ST01" in text
    assert [row[2] for row in attached(mail)] == [f"CT{number:06d}" for number in range(1, 31)]


def test_twenty_are_all_in_the_mail_and_nothing_is_attached() -> None:
    mail = mail_of(group(*(alert(number) for number in range(1, 21))))
    assert "20. CT000020" in text_of(mail)
    assert not list(mail.iter_attachments())


def test_a_spreadsheet_calculates_nothing_of_what_people_wrote() -> None:
    alerts = [alert(number, subject="=HYPERLINK(1)") for number in range(1, 22)]
    assert [row[2] for row in attached(mail_of(group(*alerts)))] == ["=HYPERLINK(1)"] * 21
    [part] = mail_of(group(*alerts)).iter_attachments()
    sheet = ZipFile(io.BytesIO(part.get_payload(decode=True))).read("xl/worksheets/sheet1.xml")  # type: ignore[arg-type]
    assert b"<f>" not in sheet


# --- how it travels -------------------------------------------------------------------------------------------


@given(
    st.text(
        st.one_of(
            st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
            st.characters(min_codepoint=0x21, max_codepoint=0x7E),
            st.just(" "),
            st.sampled_from("（）·，—😀é"),
        ),
        min_size=1,
        max_size=200,
    ).filter(lambda name: name == " ".join(name.split()))
)
def test_promise_17_a_long_mixed_subject_is_read_as_it_was_written(name: str) -> None:
    # `mail_of` compares what a reader decodes with what was meant.
    mail = mail_of(group(), reference(station=name))
    assert mail["Subject"] == f"[气瓶预警] 超期未检充装 · {name} · 立即处置"


def test_promise_17_a_mail_and_the_one_that_withdraws_part_of_it_are_one_thread() -> None:
    first = mail_of(group(*(alert(number) for number in range(1, 6))))
    withdrawn = mail_of(group(alert(4), reason="withdrawn"))
    assert set(withdrawn["References"].split()) <= set(first["References"].split())
    assert withdrawn["In-Reply-To"] in first["References"]
    assert first["Auto-Submitted"] == "auto-generated"


def test_the_thread_of_a_thousand_alerts_fits_a_header_line() -> None:
    mail = mail_of(
        group(*(alert(number) for number in range(1000))), sender=f"trace@{'long.' * 30}example.org"
    )
    assert mail["In-Reply-To"] in mail["References"]


def test_names_are_text_in_the_html() -> None:
    html = html_of(mail_of(group(alert(subject=HOSTILE)), reference(station=HOSTILE)))
    assert "<script" not in html
    assert "<img" not in html


def test_the_html_carries_its_styles_and_loads_nothing() -> None:
    html = html_of(mail_of(group()))
    assert '<td class="name" style="' in html
    assert "prefers-color-scheme: dark" in html
    addresses = re.findall(r"""(?:src|srcset|background|action)\s*=|url\(|@import|<link|<img|<iframe""", html)
    assert not addresses
    assert set(re.findall(r"https?://[^\"'<\s]+", html)) == {f"https://qp.example.cn/alerts/{1:032x}"}


def test_every_class_of_the_styles_is_used() -> None:
    html = (
        html_of(mail_of(group()))
        + html_of(mail_of(group(rule="double_fill")))
        + html_of(mail_of(group(reason="resolved")))
    )
    classes = set(re.findall(r"\.([a-z]\w*)[\s,{]", STYLE))
    assert not {name for name in classes if f'"{name}"' not in html}


def contrast(ink: str, ground: str) -> float:
    """WCAG contrast of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((light(ink), light(ground)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("ground", "inks"),
    [
        ("#ffffff", ["#17222d", "#51606f", "#b21c2a", "#8f4c00", "#0b57a4"]),
        ("#fdf0d8", ["#17222d", "#51606f"]),
        ("#18212a", ["#e8eef4", "#a3b3c2", "#ff8a8f", "#f2b75f", "#7dbaf7"]),
        ("#38290d", ["#e8eef4", "#a3b3c2"]),
    ],
)
def test_every_ink_can_be_read_on_its_ground(ground: str, inks: list[str]) -> None:
    for ink in inks:
        assert ink in STYLE
        assert contrast(ink, ground) >= 4.5, ink

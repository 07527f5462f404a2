"""Alert mails over SMTP: text and HTML, Chinese first, readable in a plain client, nothing loaded from outside."""

import hashlib
import json
import smtplib
import ssl
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any
from zoneinfo import ZoneInfo

import css_inline
from markupsafe import Markup, escape

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.delivery import Group, NotTaken
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.tables import LawError
from cylinder_trace.settings import Settings
from cylinder_trace.store.notices import Mail

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOST_LISTED = 20
_WHY = {
    "first": ("首次发现", "found for the first time"),
    "again": ("再次发现", "found again"),
    "withdrawn": ("已撤回：晚到的记录说明了情况", "withdrawn: a late record explains it"),
    "resolved": ("已消除", "resolved"),
}
_SEVERITY = {1: ("立即处置", "at once"), 2: ("当日处置", "same day"), 3: ("汇总", "digest")}
_STYLE = """
body { font: 15px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; color: #1b2733; margin: 0; padding: 16px }
h1 { font-size: 19px; margin: 0 0 2px } .en { color: #5b6b7a; font-size: 13px }
table { border-collapse: collapse; width: 100%; max-width: 720px } td { border-top: 1px solid #d5dde5; padding: 7px 10px 7px 0;
vertical-align: top } td.name { width: 7em; color: #5b6b7a } a { color: #0b5cad } .why { background: #fff4e0; padding: 6px 10px;
border-left: 4px solid #d97706; max-width: 700px } .foot { color: #5b6b7a; font-size: 12px; margin-top: 18px }
"""


class SmtpChannel:
    """The mail server of the settings. One connection a mail: slow servers hold up nobody else's transaction for long."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
        # Made once: an inliner that may never fetch a style sheet from elsewhere.
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes of the mail; the same group gives the same Message-ID to a recipient."""
        words = RULES[group.rule].words
        place = _site_name(group.site_id, reference)
        count = f" {len(group.alerts)} 起" if len(group.alerts) > 1 else ""
        prefix = "撤回" if group.reason == "withdrawn" else "预警"
        subject = (
            f"[气瓶{prefix}] {words.title[0]}{count} · {place} · {_SEVERITY[RULES[group.rule].severity][0]}"
        )
        whose = hashlib.sha256(recipient.encode()).hexdigest()[:12]
        message_id = f"<{group.key}.{whose}@{self._domain}>"
        mail = MIMEMultipart("alternative")
        mail["From"] = formataddr(parseaddr(self._settings.mail_from))  # encodes the name, never the address
        mail["To"] = recipient
        # Header() encodes the whole subject chunk by chunk; 3.11's newer policy drops spaces between chunks.
        mail["Subject"] = Header(subject, "utf-8", maxlinelen=75, header_name="Subject").encode()
        mail["Date"] = format_datetime(moment_of(now_ms))
        mail["Message-ID"] = message_id
        mail["Auto-Submitted"] = "auto-generated"
        thread = f"<{group.alerts[0]['fingerprint']}@{self._domain}>"
        mail["References"] = thread
        mail["In-Reply-To"] = thread
        mail.attach(MIMEText(self._text(group, reference), "plain", "utf-8"))
        mail.attach(MIMEText(self._html(group, reference, subject), "html", "utf-8"))
        # CRLF here: smtplib corrects line ends in text only, and a server counts a mail without them as one line.
        # Not folded: a long Message-ID would move to a line of its own, where readers do not thread by it.
        return (
            subject,
            message_id,
            mail.as_bytes(policy=mail.policy.clone(linesep="\r\n", max_line_length=None)),
        )

    def send(self, mail: Mail) -> str:
        """Hand a mail to the server. Raises NotTaken: for good on 5xx, for now on everything else."""
        settings = self._settings
        try:
            with smtplib.SMTP(
                settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_s
            ) as server:
                if settings.smtp_starttls:
                    server.starttls(context=ssl.create_default_context())
                if settings.smtp_user:
                    server.login(settings.smtp_user, settings.smtp_password)
                server.sendmail(settings.mail_from, [mail.recipient], mail.body)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients[mail.recipient]
            raise NotTaken(f"{code} {words!r}", for_good=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            raise NotTaken(
                f"{error.smtp_code} {error.smtp_error!r}", for_good=error.smtp_code >= 500
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False) from error
        return "250 taken"

    def _lines(self, group: Group, reference: Reference) -> list[tuple[str, str, str]]:
        rule = RULES[group.rule]
        laws = [_law(reference, one) for one in rule.laws]
        why = _WHY[group.reason]
        return [
            ("规则", f"{rule.words.title[0]}（{rule.name}）", rule.words.title[1]),
            ("为何发送", why[0], why[1]),
            ("级别", f"{rule.severity} 级：{_SEVERITY[rule.severity][0]}", _SEVERITY[rule.severity][1]),
            ("地点", _site_name(group.site_id, reference), ""),
            ("依据", "；".join(zh for zh, _ in laws), "; ".join(en for _, en in laws)),
            ("处置", rule.words.remedy[0], rule.words.remedy[1]),
            ("常见无责原因", rule.words.innocent[0], rule.words.innocent[1]),
            ("可定性的一项事实", rule.words.settles[0], rule.words.settles[1]),
        ]

    def _facts(self, group: Group) -> list[tuple[str, str, str, str, str]]:
        words = RULES[group.rule].words
        found = []
        for alert in group.alerts[:MOST_LISTED]:
            facts = _body(alert)["facts"]
            when = moment_of(alert["at_ms"]).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
            link = f"{self._settings.public_url}/alerts/{alert['fingerprint']}"
            fact_zh, fact_en = words.fact[0].format_map(facts), words.fact[1].format_map(facts)
            found.append((alert["subject"], f"{when} Asia/Shanghai", fact_zh, fact_en, link))
        return found

    def _text(self, group: Group, reference: Reference) -> str:
        lines = [
            f"{name}：{zh}" + (f"\n    {en}" if en else "") for name, zh, en in self._lines(group, reference)
        ]
        for subject, when, zh, en, link in self._facts(group):
            lines.append(f"\n● {subject}  {when}\n  {zh}\n  {en}\n  {link}")
        if len(group.alerts) > MOST_LISTED:
            lines.append(
                f"\n…… 共 {len(group.alerts)} 起，其余见系统。 {len(group.alerts)} in all; the rest are on the page."
            )
        lines.append("\n—— 气瓶追溯 Cylinder Trace（自动发送，请勿回复 / sent automatically）")
        return "\n".join(lines)

    def _html(self, group: Group, reference: Reference, subject: str) -> str:
        rows = Markup("").join(
            Markup('<tr><td class="name">{}</td><td>{}{}</td></tr>').format(name, zh, _small(en))
            for name, zh, en in self._lines(group, reference)
        )
        facts = Markup("").join(
            Markup('<tr><td class="name">{}</td><td><a href="{}">{}</a><br>{}{}</td></tr>').format(
                when, link, who, zh, _small(en)
            )
            for who, when, zh, en, link in self._facts(group)
        )
        more = (
            Markup("<p>共 {} 起。</p>").format(len(group.alerts)) if len(group.alerts) > MOST_LISTED else ""
        )
        page = Markup(
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{}</title><style>{}</style></head>'
            '<body><h1>{}</h1><p class="why">{}</p><table>{}</table><h1>事实 <span class="en">Facts</span></h1>'
            '<table>{}</table>{}<p class="foot">气瓶追溯 Cylinder Trace · 自动发送，请勿回复</p></body></html>'
        ).format(escape(subject), Markup(_STYLE), subject, _WHY[group.reason][0], rows, facts, more)
        return self._inliner.inline(str(page))


def _small(text: str) -> Markup:
    return Markup('<br><span class="en">{}</span>').format(text) if text else Markup("")


def _site_name(site_id: str | None, reference: Reference) -> str:
    return reference.site_name(site_id) or "地点未知"


def _law(reference: Reference, law_id: str) -> tuple[str, str]:
    try:
        basis = reference.law.basis(law_id)
    except LawError:
        return law_id, law_id
    return f"{basis.title_zh}第{basis.article}条", f"{basis.title_en} art. {basis.article}"


def _body(alert: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(alert["body"])
    return body

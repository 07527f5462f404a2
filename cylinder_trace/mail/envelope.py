"""From what is told to the bytes of a mail: subject, headers that thread, text, HTML, and the list where there are many."""

import hashlib
from dataclasses import dataclass
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr

import css_inline

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.exchange.xlsx import Sheet, workbook
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.mail import digest, layout
from cylinder_trace.mail.letter import MOST_LISTED, Told, letter
from cylinder_trace.telling import Group

LONGEST_REFERENCES = 900
"""Characters of the alerts a mail threads by: a header line has at most 998."""

_COLUMNS = (
    Names("序号", "No."),
    Names("规则", "Rule"),
    Names("对象", "About"),
    Names("时间", "When"),
    Names("事实", "Fact (Chinese)"),
    Names("事实（英文）", "Fact"),
    Names("链接", "Link"),
)
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Written:
    """A mail before it has an addressee; `members` is the XLSX of all its alerts where it can not list them."""

    subject: str
    text: str
    html: str
    members: bytes | None
    attached_as: str = "alerts.xlsx"


def written(group: Group, reference: Reference, now_ms: int, public_url: str) -> Written:
    """What a group's mail says."""
    if group.reason == "digest":
        whole = digest.digest(group, reference, now_ms, public_url)
        rows = [(part.title.zh, told) for part in whole.parts for told in part.alerts]
        return Written(whole.subject, digest.as_text(whole), digest.as_html(whole), _members(rows))
    said = letter(group, reference, public_url)
    rows = [(said.title.zh, told) for told in said.alerts]
    return Written(said.subject, layout.as_text(said), layout.as_html(said), _members(rows))


def _members(rows: list[tuple[str, Told]]) -> bytes | None:
    if len(rows) <= MOST_LISTED:
        return None
    cells = (
        (number, title, told.about, told.when, told.fact.zh, told.fact.en, told.link)
        for number, (title, told) in enumerate(rows, start=1)
    )
    return workbook([Sheet("预警 Alerts", _COLUMNS, cells)])


class Envelopes:
    """Puts what is written into mails from one sender."""

    def __init__(self, sender: str) -> None:
        self._sender = formataddr(parseaddr(sender))  # encodes the name, never the address
        self._domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        # Made once: an inliner that may never fetch a style sheet from elsewhere.
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def message_id(self, key: str, recipient: str) -> str:
        """The same group gives the same Message-ID to a recipient."""
        return f"<{key}.{hashlib.sha256(recipient.encode()).hexdigest()[:12]}@{self._domain}>"

    def sealed(self, said: Written, group: Group, recipient: str, now_ms: int) -> bytes:
        """The mail's bytes, as they go over the wire."""
        mail = MIMEMultipart("mixed" if said.members else "alternative")
        mail["From"] = self._sender
        mail["To"] = recipient
        # Header() encodes the whole subject chunk by chunk; 3.11's newer policy drops spaces between chunks.
        mail["Subject"] = Header(said.subject, "utf-8", maxlinelen=75, header_name="Subject").encode()
        mail["Date"] = format_datetime(moment_of(now_ms))
        mail["Message-ID"] = self.message_id(group.key, recipient)
        mail["Auto-Submitted"] = "auto-generated"
        # One mail tells of many alerts, and a later one of some of them: each alert is an ancestor that they share.
        ancestors = [f"<{alert['fingerprint']}@{self._domain}>" for alert in group.alerts[:MOST_LISTED]]
        if ancestors:
            ancestors = ancestors[: max(1, LONGEST_REFERENCES // (len(ancestors[0]) + 1))]
            mail["References"] = " ".join(ancestors)
            mail["In-Reply-To"] = ancestors[-1]
        readable = mail
        if said.members:
            readable = MIMEMultipart("alternative")
            mail.attach(readable)
            members = MIMEApplication(said.members, _XLSX)
            members.add_header("Content-Disposition", "attachment", filename=said.attached_as)
            mail.attach(members)
        readable.attach(MIMEText(said.text, "plain", "utf-8"))
        readable.attach(MIMEText(self._inliner.inline(said.html), "html", "utf-8"))
        # CRLF here: smtplib corrects line ends in text only, and a server counts a mail without them as one line.
        # Not folded: a long Message-ID would move to a line of its own, where readers do not thread by it.
        return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n", max_line_length=None))

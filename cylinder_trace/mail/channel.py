"""SMTP: a letter becomes a mail that threads, and a mail server takes it or says why not."""

import hashlib
import smtplib
import ssl
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr

import css_inline

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.delivery import NotTaken
from cylinder_trace.judging.reference import Reference
from cylinder_trace.mail.layout import as_html, as_list, as_text
from cylinder_trace.mail.letter import MOST_LISTED, letter
from cylinder_trace.settings import Settings
from cylinder_trace.store.outbox import Mail
from cylinder_trace.telling import Group

LONGEST_REFERENCES = 900
"""Characters of the alerts a mail threads by: a header line has at most 998."""


class SmtpChannel:
    """The mail server of the settings. One connection a mail, so that what one mail does to it harms no other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
        # Made once: an inliner that may never fetch a style sheet from elsewhere.
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes of the mail; the same group gives the same Message-ID to a recipient."""
        said = letter(group, reference, self._settings.public_url)
        whose = hashlib.sha256(recipient.encode()).hexdigest()[:12]
        message_id = f"<{group.key}.{whose}@{self._domain}>"
        mail = MIMEMultipart("mixed" if len(group.alerts) > MOST_LISTED else "alternative")
        mail["From"] = formataddr(parseaddr(self._settings.mail_from))  # encodes the name, never the address
        mail["To"] = recipient
        # Header() encodes the whole subject chunk by chunk; 3.11's newer policy drops spaces between chunks.
        mail["Subject"] = Header(said.subject, "utf-8", maxlinelen=75, header_name="Subject").encode()
        mail["Date"] = format_datetime(moment_of(now_ms))
        mail["Message-ID"] = message_id
        mail["Auto-Submitted"] = "auto-generated"
        # One mail tells of many alerts, and a later one of some of them: each alert is an ancestor that they share.
        ancestors = [f"<{alert['fingerprint']}@{self._domain}>" for alert in group.alerts]
        ancestors = ancestors[: max(1, LONGEST_REFERENCES // (len(ancestors[0]) + 1))]
        mail["References"] = " ".join(ancestors)
        mail["In-Reply-To"] = ancestors[-1]
        readable = mail
        if len(group.alerts) > MOST_LISTED:
            readable = MIMEMultipart("alternative")
            mail.attach(readable)
            members = MIMEApplication(as_list(said), "octet-stream")
            members.add_header("Content-Disposition", "attachment", filename="alerts.csv")
            mail.attach(members)
        readable.attach(MIMEText(as_text(said), "plain", "utf-8"))
        readable.attach(MIMEText(self._inliner.inline(as_html(said)), "html", "utf-8"))
        # CRLF here: smtplib corrects line ends in text only, and a server counts a mail without them as one line.
        # Not folded: a long Message-ID would move to a line of its own, where readers do not thread by it.
        return (
            said.subject,
            message_id,
            mail.as_bytes(policy=mail.policy.clone(linesep="\r\n", max_line_length=None)),
        )

    def send(self, mail: Mail) -> str:
        """Hand a mail to the server. Raises NotTaken: for good where it refuses this mail, for now on everything else."""
        try:
            server = self._greeted()
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a host name that is none
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False, unreached=True) from error
        try:
            server.sendmail(self._settings.mail_from, [mail.recipient], mail.body)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients[mail.recipient]
            raise NotTaken(f"{code} {words!r}", for_good=code >= 500) from error
        except smtplib.SMTPSenderRefused as error:
            # It refuses us, whatever the mail: a wrong sender in the settings must not end every mail for good.
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False) from error
        except smtplib.SMTPResponseException as error:
            raise NotTaken(
                f"{error.smtp_code} {error.smtp_error!r}", for_good=error.smtp_code >= 500
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False) from error
        finally:
            _part(server)
        return "250 taken"

    def _greeted(self) -> smtplib.SMTP:
        """A server that knows us. Whatever fails until here would fail for any mail."""
        settings = self._settings
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_s)
        try:
            server.ehlo_or_helo_if_needed()
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            server.close()
            raise
        return server


def _part(server: smtplib.SMTP) -> None:
    # What it says to QUIT changes nothing: a mail that it took is sent, and one that it refused is refused.
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()

"""SMTP: a letter becomes a mail that threads, and a mail server takes it or says why not."""

import smtplib
import ssl
from contextlib import suppress

from cylinder_trace.delivery import NotTaken
from cylinder_trace.judging.reference import Reference
from cylinder_trace.mail.envelope import Envelopes, Written, written
from cylinder_trace.settings import Settings
from cylinder_trace.store.outbox import Mail
from cylinder_trace.telling import Group

_TAKEN = 250
_RECIPIENT_TAKEN = (250, 251)


class SmtpChannel:
    """The mail server of the settings. A connection serves mail after mail, until one of them is not taken."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._envelopes = Envelopes(settings.mail_from)
        self._last: tuple[tuple[str, str], Written] | None = None

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes of the mail; the same group gives the same Message-ID to a recipient."""
        # What a digest of thousands says is put together once, not for every reader of it.
        if self._last is None or self._last[0] != (group.key, group.reason):
            said = written(group, reference, now_ms, self._settings.public_url)
            self._last = (group.key, group.reason), said
        said = self._last[1]
        message_id = self._envelopes.message_id(group.key, recipient)
        return said.subject, message_id, self._envelopes.sealed(said, group, recipient, now_ms)

    def send(self, mail: Mail) -> str:
        """Hand a mail to the server. Raises NotTaken: for good where it refuses this mail, for now on everything else."""
        server = self._waiting_for_recipient()
        try:
            answer = _taken(server, mail)
        except BaseException:
            # Whatever state the connection is in now, the next mail begins on another.
            self.part()
            raise
        return answer

    def part(self) -> None:
        """Leave the server."""
        server, self._server = self._server, None
        if server is None:
            return
        # What it says to QUIT changes nothing: a mail that it took is sent, and one that it refused is refused.
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()

    def _waiting_for_recipient(self) -> smtplib.SMTP:
        """A server that took our sender, on the connection of the mail before where that still stands."""
        if self._server is not None:
            # It may have hung up since, or take so many mails on a connection only: that is no fault of this mail.
            with suppress(smtplib.SMTPException, OSError):
                if self._server.mail(self._settings.mail_from)[0] == _TAKEN:
                    return self._server
            self.part()
        try:
            self._server = self._greeted()
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a host name that is none
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False, unreached=True) from error
        try:
            code, words = self._server.mail(self._settings.mail_from)
        except (smtplib.SMTPException, OSError) as error:
            self.part()
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False) from error
        if code != _TAKEN:
            # It refuses us, whatever the mail: a wrong sender in the settings must not end every mail for good.
            self.part()
            raise NotTaken(f"SMTPSenderRefused: {code} {_text(words)}", for_good=False)
        return self._server

    def _greeted(self) -> smtplib.SMTP:
        """A server that knows us. Whatever fails until here would fail for any mail."""
        settings = self._settings
        address, timeout_s = (settings.smtp_host, settings.smtp_port), settings.smtp_timeout_s
        if settings.smtp_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(*address, timeout=timeout_s, context=self._trust())
        else:
            server = smtplib.SMTP(*address, timeout=timeout_s)
        try:
            server.ehlo_or_helo_if_needed()
            if settings.smtp_starttls:
                server.starttls(context=self._trust())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            server.close()
            raise
        return server

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._settings.smtp_ca_file)


def _taken(server: smtplib.SMTP, mail: Mail) -> str:
    """The server's answer to recipient and bytes. Raises NotTaken."""
    try:
        code, words = server.rcpt(mail.recipient)
        if code in _RECIPIENT_TAKEN:
            code, words = server.data(mail.body)
    except smtplib.SMTPResponseException as error:
        code, words = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b""
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(f"{type(error).__name__}: {error}", for_good=False) from error
    if code != _TAKEN:
        raise NotTaken(f"{code} {_text(words)}", for_good=code >= 500)
    return f"{code} {_text(words)}"


def _text(words: bytes) -> str:
    return words.decode(errors="replace")

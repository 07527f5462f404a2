"""Every way to a recipient, chosen by its address: mail, or the webhook of a message platform."""

from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cylinder_trace.judging.reference import Reference
from cylinder_trace.mail.channel import SmtpChannel
from cylinder_trace.mail.webhook import Webhook, as_json
from cylinder_trace.settings import Settings
from cylinder_trace.store.outbox import MAIL, Mail, channel_to
from cylinder_trace.telling import Group


class Channels:
    """The mail server and the message platforms. What they say is the same.

    `key` gives what the server signs with; it is asked for once, when there is something to sign.
    """

    def __init__(self, settings: Settings, key: Callable[[], Ed25519PrivateKey]) -> None:
        self._settings = settings
        self._mail = SmtpChannel(settings)
        self._webhook = Webhook(lru_cache(key), settings.webhook_timeout_s)

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes for this recipient: a mail, or the JSON of what the mail says."""
        subject, message_id, body = self._mail.rendered(group, recipient, reference, now_ms)
        if channel_to(recipient) == MAIL:
            return subject, message_id, body
        public_url = self._settings.public_url
        alerts = [
            {
                "id": one["fingerprint"],
                "rule": one["rule"],
                "link": f"{public_url}/alerts/{one['fingerprint']}",
            }
            for one in group.alerts
        ]
        more = {"rule": group.rule, "reason": group.reason, "district": group.district, "alerts": alerts}
        more["link"] = alerts[0]["link"] if len(alerts) == 1 else f"{public_url}/alerts"
        return subject, message_id, as_json(body, more)

    def send(self, mail: Mail) -> str:
        """Hand it over; gives the server's answer. Raises NotTaken."""
        return self._mail.send(mail) if mail.channel == MAIL else self._webhook.send(mail)

    def part(self) -> None:
        """Leave every server."""
        self._mail.part()
        self._webhook.part()

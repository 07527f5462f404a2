"""The daily sign of life: that it arrives proves the chain, and that it does not is the news."""

from collections.abc import Mapping

from markupsafe import Markup

from cylinder_trace.law.answers import Names
from cylinder_trace.mail.envelope import Envelopes, Written
from cylinder_trace.mail.layout import FOOT, PAGE, STYLE, small
from cylinder_trace.mail.webhook import as_json
from cylinder_trace.settings import Settings
from cylinder_trace.store.outbox import MAIL, channel_to
from cylinder_trace.telling import Group

_NUMBERS = {
    "open": Names("未结预警", "Open alerts"),
    "pending": Names("待研判记录", "Records to be judged"),
    "waiting": Names("发件箱待发", "Waiting in the outbox"),
    "dead": Names("退信", "Dead letters"),
}
_SAYS = Names(
    "研判与发信均在运行。每个工作日 9 点一封；某个工作日没有收到，就是出了故障，请查看系统状态页。",
    "Judging and sending are at work. One mail at nine on each working day: if none comes, something is broken;"
    " look at the page of the system's health.",
)


class HeartbeatLetters:
    """Signs of life, from the sender of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._envelopes = Envelopes(settings.mail_from)
        self._public_url = settings.public_url

    def heartbeat(
        self, recipient: str, numbers: Mapping[str, int], key: str, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes for this recipient."""
        day = key.partition("-")[2]
        title = Names(f"系统正常 {day}", f"All is at work, {day}")
        link = f"{self._public_url}/health"
        text = [title.zh, title.en, "", _SAYS.zh, _SAYS.en, ""]
        text += [f"{_NUMBERS[name].zh} {_NUMBERS[name].en}: {number}" for name, number in numbers.items()]
        rows = Markup("").join(
            Markup('<tr><td class="name">{}{}</td><td>{}</td></tr>').format(
                _NUMBERS[name].zh, small(_NUMBERS[name].en), number
            )
            for name, number in numbers.items()
        )
        said = Markup(
            '<h1>{}</h1><p class="en">{}</p><p>{}{}</p><table>{}</table><p><a href="{}">{}</a></p>'
        ).format(title.zh, title.en, _SAYS.zh, small(_SAYS.en), rows, link, link)
        subject = f"[气瓶心跳] {title.zh}"
        html = str(PAGE.format(subject, Markup(STYLE), said, FOOT))
        written = Written(subject, "\n".join([*text, link, "", f"—— {FOOT}"]), html, None)
        group = Group(key, "", "heartbeat", None, None, [])
        body = self._envelopes.sealed(written, group, recipient, now_ms)
        if channel_to(recipient) != MAIL:
            body = as_json(body, {"rule": "", "reason": "heartbeat", "alerts": [], "link": link})
        return subject, self._envelopes.message_id(key, recipient), body

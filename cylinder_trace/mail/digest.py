"""The day's digest: what is no mail by itself, by rule and place, in one mail a recipient."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.law.naming import Naming
from cylinder_trace.mail.former import rule_of
from cylinder_trace.mail.layout import FOOT, PAGE, STYLE, small
from cylinder_trace.mail.letter import ENDED, WHY, Told, told_of
from cylinder_trace.telling import Group

MOST_PARTS = 30
"""Rules and places told in the mail itself."""
MOST_EACH = 3
"""Alerts told of each of them."""

_CUSTOMERS = "*"
"""Stands for the places of all customers."""
_TITLE = Names("今日汇总", "Digest of the day")
_WHY_SENT = Names(
    "每个工作日一封：三级预警，以及当日过多而未单独发送的预警。",
    "One each working day: alerts of severity 3, and those that were too many of a rule to be sent by themselves.",
)


@dataclass(frozen=True, slots=True)
class Part:
    """Alerts of one rule at one place that are told for one reason."""

    title: Names
    place: Names
    why: Names
    severity: int
    ended: bool
    alerts: list[Told]


@dataclass(frozen=True, slots=True)
class Digest:
    """A whole digest; `parts` in the order in which they should be read."""

    subject: str
    district: Names
    parts: list[Part]
    list_link: str

    @property
    def number(self) -> int:
        """Of how many alerts it tells."""
        return sum(len(part.alerts) for part in self.parts)


def digest(group: Group, reference: Reference, now_ms: int, public_url: str) -> Digest:
    """The digest of a group's alerts, the grave first, then the many."""
    naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
    by_part: dict[tuple[str, str | None, str], list[dict[str, Any]]] = defaultdict(list)
    for alert in group.alerts:
        # A place of its own for every customer would be thousands, and says nothing: none is named.
        site_id = _CUSTOMERS if alert["site_id"] in reference.customers else alert["site_id"]
        by_part[alert["rule"], site_id, alert["reason"]].append(alert)
    parts = [_part(which, its, naming, public_url) for which, its in by_part.items()]
    parts.sort(key=lambda part: (part.ended, part.severity, -len(part.alerts), part.title.zh, part.place.zh))
    day = f"{moment_of(now_ms).astimezone(SHANGHAI):%m-%d}"
    subject = f"[气瓶预警汇总] {day} · {naming.district(group.district).zh} · {len(group.alerts)} 起"
    return Digest(subject, naming.district(group.district), parts, f"{public_url}/alerts")


def _part(
    which: tuple[str, str | None, str], alerts: list[dict[str, Any]], naming: Naming, public_url: str
) -> Part:
    name, site_id, reason = which
    rule = rule_of(name, alerts[0])
    return Part(
        Names(*rule.words.title),
        _place(site_id, naming),
        WHY.get(reason, WHY["first"]),
        rule.severity,
        reason in ENDED,
        [told_of(alert, reason, rule, naming, public_url) for alert in alerts],
    )


def _place(site_id: str | None, naming: Naming) -> Names:
    if site_id == _CUSTOMERS:
        return Names("各用户", "customers")
    return naming.site(site_id) if site_id else Names("地点未知", "Place unknown")


def as_text(said: Digest) -> str:
    """For plain clients."""
    rows = [
        f"{_TITLE.zh}：{said.district.zh}，{said.number} 起",
        f"  {_TITLE.en}: {said.district.en}, {said.number}",
    ]
    rows += ["", _WHY_SENT.zh, f"  {_WHY_SENT.en}"]
    for number, part in enumerate(said.parts[:MOST_PARTS], start=1):
        heading = _heading(part)
        rows += ["", f"{number}. {heading.zh}", f"   {heading.en}"]
        for told in part.alerts[:MOST_EACH]:
            rows += [f"   - {told.about}，{told.when}", f"     {told.fact.zh}", f"     {told.link}"]
        if more := _more_of(part):
            rows.append(f"   {more.zh} / {more.en}")
    if more := _more_parts(said):
        rows += ["", more.zh, more.en]
    return "\n".join([*rows, "", said.list_link, "", f"—— {FOOT}"])


def as_html(said: Digest) -> str:
    """For all others. Nothing in it is loaded from anywhere."""
    body = Markup("").join(_html_parts(said))
    return str(
        PAGE.format(
            said.subject,
            Markup(STYLE),
            Markup(
                '<h1>{} · {}</h1><p class="en">{} · {}</p><p class="why">{}{}</p>{}<p><a href="{}">{}</a></p>'
            ).format(
                _TITLE.zh,
                said.district.zh,
                _TITLE.en,
                said.district.en,
                _WHY_SENT.zh,
                small(_WHY_SENT.en),
                body,
                said.list_link,
                "全部预警 All alerts",
            ),
            FOOT,
        )
    )


def _html_parts(said: Digest) -> Iterator[Markup]:
    for part in said.parts[:MOST_PARTS]:
        heading = _heading(part)
        yield Markup('<h2><span class="s{}">{}</span>{}</h2>').format(
            3 if part.ended else part.severity, heading.zh, small(heading.en)
        )
        for told in part.alerts[:MOST_EACH]:
            yield Markup(
                '<div class="fact"><a href="{}">{}</a> <span class="en">{}</span><br>{}{}</div>'
            ).format(told.link, told.about, told.when, told.fact.zh, small(told.fact.en))
        if more := _more_of(part):
            yield Markup('<p class="fact">{}{}</p>').format(more.zh, small(more.en))
    if more := _more_parts(said):
        yield Markup('<p class="fact">{}{}</p>').format(more.zh, small(more.en))


def _heading(part: Part) -> Names:
    return Names(
        f"{part.title.zh} · {part.place.zh} · {len(part.alerts)} 起 · {part.why.zh}",
        f"{part.title.en} · {part.place.en} · {len(part.alerts)} · {part.why.en}",
    )


def _more_of(part: Part) -> Names | None:
    more = len(part.alerts) - MOST_EACH
    return Names(f"另有 {more} 起", f"{more} more") if more > 0 else None


def _more_parts(said: Digest) -> Names | None:
    more = len(said.parts) - MOST_PARTS
    if more <= 0:
        return None
    return Names(
        f"另有 {more} 组，见附件与此链接。", f"{more} more groups; see the attached list and this link."
    )

"""What an alert mail says, in Chinese and in English, before anybody thinks of how it looks.

No mail carries the name of a customer: a mail leaves the house, and is read by whoever has the mailbox.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule
from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.law.citing import cited
from cylinder_trace.law.naming import KINDS, RESULTS, Naming
from cylinder_trace.mail.former import rule_of
from cylinder_trace.telling import Group

MOST_LISTED = 20
"""Alerts told in the mail itself; of more, all are in the list that is attached."""

WHY = {
    "first": Names("首次发现", "Found for the first time"),
    "more": Names("同组新增", "More in a group you were told of"),
    "again": Names("再次发现", "Found again"),
    "worse": Names("已知预警加重", "A known alert became worse"),
    "escalated": Names("逾期无人签收，上报一级", "Nobody acknowledged it in time: told to the next level"),
    "reminder": Names("提醒：仍待处置", "Reminder: it still has to be dealt with"),
    "withdrawn": Names("已撤回：晚到的记录说明了情况", "Withdrawn: a late record explains it"),
    "resolved": Names("已消除：情形不复存在", "Resolved: it is no longer so"),
    "closed": Names("已关闭：执法人员已作结论", "Closed: an officer has come to a conclusion"),
    "reopened": Names("重新打开", "Opened again"),
}
ENDED = {
    "withdrawn": Names("已撤回", "withdrawn"),
    "resolved": Names("已消除", "resolved"),
    "closed": Names("已关闭", "closed"),
}
_PREFIX = {"withdrawn": "撤回", "resolved": "消除", "closed": "关闭"}
_SEVERITY = {
    1: Names("立即处置", "at once"),
    2: Names("当日处置", "same day"),
    3: Names("汇总", "digest"),
}
_NO_MORE_TO_DO = {
    "withdrawn": Names(
        "此前的预警作废，不要再据此处置；已采取措施的，请复核。",
        "The earlier alert is void; do not act on it, and review what was done because of it.",
    ),
    "resolved": Names("无需再处置。", "Nothing more is to be done."),
    "closed": Names(
        "无需再处置；结论已记录在案。", "Nothing more is to be done; the conclusion is on record."
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a mail says: its name, and what there is to say."""

    name: Names
    said: Names


@dataclass(frozen=True, slots=True)
class Told:
    """One alert of the mail. `because` is the late record that explains a withdrawn one, where it is known."""

    about: str
    when: str
    fact: Names
    link: str
    because: Names | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole mail. `alerts` are all of the group; layouts list the first `MOST_LISTED`.

    `urgency` of alerts that ended is that they did; nobody has to hurry then.
    """

    subject: str
    title: Names
    severity: int
    ended: bool
    urgency: Names
    why: Names
    place: Names
    district: Names
    alerts: list[Told]
    lines: list[Line]
    list_link: str


def letter(group: Group, reference: Reference, public_url: str) -> Letter:
    """The mail about a group of alerts."""
    rule = rule_of(group.rule, group.alerts[0])
    words = rule.words
    naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
    place = naming.site(group.site_id) if group.site_id else Names("地点未知", "Place unknown")
    count = f" {len(group.alerts)} 起" if len(group.alerts) > 1 else ""
    ended = group.reason in ENDED
    urgency = ENDED[group.reason] if ended else _SEVERITY[rule.severity]
    prefix = _PREFIX.get(group.reason, "预警")
    laws = [cited(reference.law, one) for one in rule.laws]
    lines = []
    if not ended:
        # First what usually explains it: most alerts are mistakes of procedure, and a call settles them.
        lines += [
            Line(Names("常见无责原因", "Likely innocent cause"), Names(*words.innocent)),
            Line(Names("可定性的一项事实", "The fact that would settle it"), Names(*words.settles)),
        ]
    lines.append(Line(Names("处置", "What to do"), _NO_MORE_TO_DO.get(group.reason, Names(*words.remedy))))
    if laws:
        said = Names("；".join(one.zh for one in laws), "; ".join(one.en for one in laws))
        lines.append(Line(Names("依据", "Law"), said))
    lines.append(Line(Names("规则", "Rule"), Names(f"{words.title[0]}（{group.rule}）", words.title[1])))
    filters = {"status": "", "rule": group.rule}
    if group.site_id and reference.site_name(group.site_id) in {place.zh, group.site_id}:
        # Not a customer, whose id is in no mail either.
        filters["site_id"] = group.site_id
    return Letter(
        subject=f"[气瓶{prefix}] {words.title[0]}{count} · {place.zh}{'' if ended else f' · {urgency.zh}'}",
        title=Names(*words.title),
        severity=rule.severity,
        ended=ended,
        urgency=urgency,
        why=WHY[group.reason],
        place=place,
        district=naming.district(group.district),
        alerts=[told_of(alert, group.reason, rule, naming, public_url) for alert in group.alerts],
        lines=lines,
        list_link=f"{public_url}/alerts?{urlencode(filters)}",
    )


def told_of(alert: dict[str, Any], reason: str, rule: Rule, naming: Naming, public_url: str) -> Told:
    """What a mail says of one alert."""
    facts = json.loads(alert["body"])["facts"]
    because = alert.get("because_body")
    return Told(
        about=naming.subject(alert["subject"], facts).zh,
        when=_zoned(moment_of(alert["at_ms"])).zh,
        fact=naming.told(rule.words.fact, facts),
        link=f"{public_url}/alerts/{alert['fingerprint']}",
        because=_late_record(json.loads(because), alert.get("because_received_ms"), naming)
        if because and reason == "withdrawn"
        else None,
    )


def _late_record(message: dict[str, Any], received_ms: int | None, naming: Naming) -> Names:
    """What a record says, in a line: kind, time, place, result, term, and when it reached us."""
    kind = KINDS[message["kind"]]
    when = _zoned(datetime.fromisoformat(message["occurred_at"]))
    zh, en = [f"{kind.zh} {when.zh}"], [f"{kind.en} {when.en}"]
    if message.get("site_id"):
        site = naming.site(message["site_id"])
        zh.append(site.zh)
        en.append(site.en)
    if result := RESULTS.get(message.get("result", "")):
        zh.append(result.zh)
        en.append(result.en)
    if until := message.get("valid_until") or message.get("cylinder", {}).get("valid_until"):
        zh.append(f"有效期至 {until}")
        en.append(f"valid through {until}")
    if received_ms is not None:
        received = _zoned(moment_of(received_ms))
        zh.append(f"接收于 {received.zh}")
        en.append(f"received {received.en}")
    return Names("，".join(zh), ", ".join(en))


def _zoned(moment: datetime) -> Names:
    local = f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return Names(f"{local} 北京时间 (UTC+8)", f"{local} UTC+8")

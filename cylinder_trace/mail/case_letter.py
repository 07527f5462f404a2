"""What is told of cases: the steps that others have to know of, and the deadlines that have passed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cylinder_trace.casework import Late, Mail
from cylinder_trace.judging.handling.cases import KINDS, STEPS, family, last_day
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.law.naming import Naming
from cylinder_trace.mail.duty_letter import listing
from cylinder_trace.mail.envelope import Envelopes, Written
from cylinder_trace.mail.letter import MOST_LISTED
from cylinder_trace.settings import Settings
from cylinder_trace.telling import Group


class CaseLetters:
    """The mails about cases, from the sender of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._envelopes = Envelopes(settings.mail_from)
        self._public_url = settings.public_url

    def overdue(
        self, recipient: str, late: Sequence[Late], reference: Reference, key: str, now_ms: int
    ) -> Mail:
        """A mail about cases that are late."""
        naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
        title = Names(f"案件逾期 {len(late)} 起", f"Cases overdue: {len(late)}")
        lines = [_line(one, naming) for one in late[:MOST_LISTED]]
        if more := len(late) - len(lines):
            lines.append(Names(f"另有 {more} 起，见链接。", f"{more} more: see the link."))
        link = f"{self._public_url}/cases?which=overdue"
        if len(late) == 1:
            link = f"{self._public_url}/cases/{late[0].case_id}"
            title = Names(f"{title.zh}：{lines[0].zh}", f"{title.en}: {lines[0].en}")
        return self._sealed(recipient, listing(title, lines, link), key, now_ms)

    def step(
        self, recipient: str, row: Mapping[str, Any], step: str, reference: Reference, key: str, now_ms: int
    ) -> Mail:
        """A mail about a step that was taken in a case; `row` is the case after it."""
        naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
        names, whom = STEPS[family(row["kind"])][step].names, _whom(row["site_id"], row["district"], naming)
        kind, number = KINDS[row["kind"]], row["number"] or ""
        title = Names(
            f"{whom.zh} {kind.zh}{number}：{names.zh}", f"{whom.en}, {kind.en} {number}: {names.en}"
        )
        lines = []
        if row["due_ms"] is not None:
            until = date.fromordinal(last_day(row["due_ms"])).isoformat()
            turn = "复查期限" if row["state"] == "reported" else "期限"
            lines.append(Names(f"{turn}至 {until}（含当日）", f"Due through {until}"))
        if row["is_serious"]:
            lines.append(Names("按严重事故隐患处理", "Treated as a serious hazard"))
        link = f"{self._public_url}/cases/{row['case_id']}"
        return self._sealed(recipient, listing(title, lines, link), key, now_ms)

    def _sealed(self, recipient: str, said: Written, key: str, now_ms: int) -> Mail:
        group = Group(key, "", "", None, None, [])
        message_id = self._envelopes.message_id(key, recipient)
        return said.subject, message_id, self._envelopes.sealed(said, group, recipient, now_ms)


def _whom(site_id: str | None, district: str, naming: Naming) -> Names:
    return naming.site(site_id) if site_id else naming.district(district)


def _line(one: Late, naming: Naming) -> Names:
    step = STEPS[family(one.kind)][one.step].names
    whom = _whom(one.site_id, one.district, naming)
    until = date.fromordinal(last_day(one.due_ms)).isoformat()
    kind = KINDS[one.kind]
    number = one.number or ""
    return Names(
        f"{whom.zh} {kind.zh}{number}：{step.zh}，期限 {until}",
        f"{whom.en}, {kind.en} {number}: {step.en}, was due through {until}",
    )

"""What is told of cases whose deadline has passed: which, what is missing, and since when."""

from collections.abc import Sequence
from datetime import date

from cylinder_trace.casework import Late, Mail
from cylinder_trace.judging.handling.cases import KINDS, STEPS, family, last_day
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.law.naming import Naming
from cylinder_trace.mail.duty_letter import listing
from cylinder_trace.mail.envelope import Envelopes
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
        said = listing(title, lines, link)
        group = Group(key, "", "", None, None, [])
        message_id = self._envelopes.message_id(key, recipient)
        return said.subject, message_id, self._envelopes.sealed(said, group, recipient, now_ms)


def _line(one: Late, naming: Naming) -> Names:
    step = STEPS[family(one.kind)][one.step].names
    whom = naming.site(one.site_id) if one.site_id else naming.district(one.district)
    until = date.fromordinal(last_day(one.due_ms)).isoformat()
    kind = KINDS[one.kind]
    number = one.number or ""
    return Names(
        f"{whom.zh} {kind.zh}{number}：{step.zh}，期限 {until}",
        f"{whom.en}, {kind.en} {number}: {step.en}, was due through {until}",
    )

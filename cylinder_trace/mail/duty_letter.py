"""What a station, a firm or a district is told of its duties: unsigned records, and what runs out."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from markupsafe import Markup
from sqlalchemy import Connection

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.duty_records import Mail
from cylinder_trace.exchange.station_lists import MOST_ROWS, PAPERS, due_book, naming_of
from cylinder_trace.judging.handling.duties import KINDS, last_day_of
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.mail.envelope import Envelopes, Written
from cylinder_trace.mail.layout import FOOT, PAGE, STYLE, small
from cylinder_trace.mail.letter import MOST_LISTED
from cylinder_trace.settings import Settings
from cylinder_trace.store import due_lists
from cylinder_trace.store.due_lists import Party
from cylinder_trace.store.duties import Record
from cylinder_trace.telling import Group


class DutyLetters:
    """The mails of the duties, from the sender of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._envelopes = Envelopes(settings.mail_from)
        self._public_url = settings.public_url

    def reminder(
        self,
        recipient: str,
        records: Sequence[Record],
        reference: Reference,
        key: str,
        now_ms: int,
        *,
        of_district: bool,
    ) -> Mail:
        """A mail about records that are not signed, to the station itself or to its district."""
        naming = naming_of(reference)
        sites = Counter(record.site_id for record in records)
        if of_district:
            title = Names(
                f"{len(sites)} 家充装站有 {len(records)} 份记录逾期未签，已催签",
                f"{len(records)} records of {len(sites)} stations are unsigned after a reminder",
            )
        else:
            name = naming.site(records[0].site_id)
            title = Names(
                f"{name.zh}有 {len(records)} 份记录逾期未签",
                f"{name.en}: {len(records)} records are unsigned",
            )
        in_order = sorted(records, key=lambda one: (one.site_id, one.first_day, one.kind))
        lines = [_of_record(record, naming.site(record.site_id)) for record in in_order[:MOST_LISTED]]
        if more := len(records) - len(lines):
            lines.append(Names(f"另有 {more} 份，见链接。", f"{more} more: see the link."))
        link = f"{self._public_url}/duties"
        return self._sealed(recipient, listing(title, lines, link), key, now_ms)

    def due_list(
        self,
        connection: Connection,
        recipient: str,
        party: Party,
        reference: Reference,
        key: str,
        now_ms: int,
    ) -> Mail | None:
        """A mail with what runs out within the look-ahead, the whole list attached; None where nothing does."""
        papers = due_lists.papers(party, reference, now_ms)
        soon, _ = due_lists.cylinders(connection, party, reference, now_ms, 0)
        over, _ = due_lists.cylinders(connection, party, reference, now_ms, 0, is_over=True)
        if not papers and not soon and not over:
            return None
        coming, past = (
            due_lists.all_cylinders(connection, party, reference, now_ms, MOST_ROWS, is_over=is_over)
            for is_over in (False, True)
        )
        naming = naming_of(reference)
        firm = party.id if party.is_owner else reference.owner_of_site(party.id, now_ms) or ""
        days = int(reference.number("due_list.before_days", now_ms))
        name = naming.owner(party.id) if party.is_owner else naming.site(party.id)
        title = Names(
            f"{name.zh}到期清单：{days} 天内 {soon:,} 只，已过期 {over:,} 只，证照 {len(papers)} 份",
            f"{name.en}, what runs out: {soon:,} cylinders within {days} days, {over:,} overdue, {len(papers)} papers",
        )
        lines = [
            Names(
                f"{PAPERS[one.kind].zh} {one.whose or one.party_id}：{one.until}",
                f"{PAPERS[one.kind].en} {one.whose or one.party_id}: {one.until}",
            )
            for one in papers[:MOST_LISTED]
        ]
        if soon or over:
            lines.append(Names("气瓶清单见附件。", "The cylinders are in the attached list."))
        link = f"{self._public_url}/duties/due"
        book = due_book(coming, past, papers, reference, firm)
        return self._sealed(recipient, listing(title, lines, link, book), key, now_ms)

    def _sealed(self, recipient: str, said: Written, key: str, now_ms: int) -> Mail:
        group = Group(key, "", "", None, None, [])
        message_id = self._envelopes.message_id(key, recipient)
        return said.subject, message_id, self._envelopes.sealed(said, group, recipient, now_ms)


def _of_record(record: Record, site: Names) -> Names:
    kind = KINDS[record.kind]
    first, last = (
        date.fromordinal(day).isoformat()
        for day in (record.first_day, last_day_of(record.kind, record.first_day))
    )
    days = first if first == last else f"{first} – {last}"
    due = moment_of(record.due_ms - 1).astimezone(SHANGHAI).strftime("%Y-%m-%d")
    return Names(
        f"{site.zh}：{days} {kind.name.zh}，由{kind.signer.zh}签署，期限 {due}",
        f"{site.en}: {kind.name.en} of {days}, to be signed by the {kind.signer.en} by {due}",
    )


def listing(title: Names, lines: Sequence[Names], link: str, book: bytes | None = None) -> Written:
    """A mail that is a title, lines and a link."""
    text = [title.zh, f"  {title.en}", ""]
    for line in lines:
        text += [f"- {line.zh}", f"  {line.en}"]
    text += ["", link, "", f"—— {FOOT}"]
    said = Markup("").join(Markup('<p class="fact">{}{}</p>').format(one.zh, small(one.en)) for one in lines)
    body = Markup('<h1>{}</h1><p class="en">{}</p>{}<p><a href="{}">{}</a></p>')
    page = PAGE.format(title.zh, Markup(STYLE), body.format(title.zh, title.en, said, link, link), FOOT)
    return Written(title.zh, "\n".join(text), str(page), book, "due-list.xlsx")

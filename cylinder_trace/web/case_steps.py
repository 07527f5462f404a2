"""What a signed-in person does to a case, for the pages and the API alike: decided, compared with what stands, kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from cylinder_trace.acting import Wish, act
from cylinder_trace.exchange.attachments import accepted
from cylinder_trace.exchange.paper import as_html, number_of, series_of
from cylinder_trace.judging.handling.care import LONGEST_WHY
from cylinder_trace.judging.handling.cases import (
    DIRECTIVE,
    LETTERS,
    LONGEST_TEXT,
    STEPS,
    Actor,
    Case,
    Deed,
    Refused,
    end_of_day_ms,
    family,
    follow,
    proposed_day,
)
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.mail.former import rule_of
from cylinder_trace.store import alerts, cases, handling
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.cases import Entry
from cylinder_trace.store.handling import Looked, NoSuchAlert
from cylinder_trace.store.people import Person
from cylinder_trace.web.case_mails import tell
from cylinder_trace.web.case_papers import paper_of
from cylinder_trace.web.server import Server

MOST_ALERTS = 50
_NOBODYS = Scope("nobody")


class NoSuchCase(LookupError):
    """There is no such case that the person may see."""


class Quicker(Exception):
    """Somebody took a step since the person looked; `row` is the case as it stands now."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        super().__init__("somebody was quicker")


@dataclass(frozen=True, slots=True)
class Asked:
    """A step as it is asked for; `version` is what the person saw. The rest is as far as the step needs it."""

    step: str
    version: int
    why: str = ""
    due_day: int | None = None
    facts: str = ""
    demands: str = ""
    is_serious: bool = False
    fingerprints: Sequence[str] = ()
    files: Sequence[tuple[str, bytes]] = ()


def scope_of(person: Person) -> Scope:
    """Whose cases a person may see: an operator at the gun none, whatever the station is told."""
    return _NOBODYS if person.role == "operator" else person.scope


def actor_of(person: Person) -> Actor:
    """A person as the steps know them."""
    return Actor(person.username, person.role, person.scope.id)


def make_directive(here: Server, person: Person, fingerprints: Sequence[str]) -> int:
    """A draft about these alerts of one site; gives the case. Raises Refused, NoSuchCase, Taken."""
    if person.role != "officer":
        raise Refused("not_yours", "由区局立案。", "A case is made by the district.")
    now_ms = here.now_ms()
    with here.database.writing() as connection:
        reference = here.cache.read(connection)
        found = _alerts(connection, person, fingerprints)
        if not found:
            raise NoSuchCase
        if len({(row["site_id"], row["district"]) for row in found}) != 1:
            raise Refused("several_sites", "一案只涉及一个单位。", "A case is about one site.")
        site_id, district = found[0]["site_id"], found[0]["district"]
        _must_be_served(reference, site_id)
        due_ms = end_of_day_ms(proposed_day(reference, now_ms))
        case = Case(DIRECTIVE, "draft", district, site_id, due_ms=due_ms)
        entry = Entry("make", actor_of(person), person.name, now_ms)
        columns = {"severity": min(row["severity"] for row in found), "facts": "", "demands": _demands(found)}
        case_id = cases.make(connection, case, entry, _episodes(found), **columns)
        _see_to(connection, person, _episodes(found), _SEEN, reference, now_ms)
        return case_id


def make_letter(
    here: Server, person: Person, kind: str, district: str, facts: str, demands: str, due_day: int | None,
    about_case: int | None = None,
) -> int:  # fmt: skip
    """A draft of a letter to a district; gives the case. Raises Refused, NoSuchCase."""
    if person.role != "city":
        raise Refused("not_yours", "由市局发函。", "Letters are written by the city.")
    now_ms = here.now_ms()
    with here.database.writing() as connection:
        reference = here.cache.read(connection)
        if kind not in LETTERS or district not in {one.adcode for one in reference.law.districts()}:
            raise Refused("unknown", "没有这种文书或辖区。", "There is no such paper or district.")
        if about_case is not None and cases.one(connection, scope_of(person), about_case) is None:
            raise NoSuchCase
        due_ms = None if due_day is None else end_of_day_ms(due_day)
        case = Case(kind, "draft", district, due_ms=due_ms)
        # The same limits hold as for a change of the draft.
        follow(case, Deed("edit", actor_of(person), now_ms, due_day=due_day), reference)
        entry = Entry("make", actor_of(person), person.name, now_ms)
        columns = _texts(facts, demands) | {"about_case": about_case}
        return cases.make(connection, case, entry, (), **columns)


def take(here: Server, person: Person, case_id: int, asked: Asked) -> None:
    """Take a step. Raises Refused, NoSuchCase, Quicker, Taken, NotAccepted."""
    files, now_ms = accepted(asked.files), here.now_ms()
    with here.database.writing() as connection:
        reference = here.cache.read(connection)
        row = cases.one(connection, scope_of(person), case_id)
        if row is None:
            raise NoSuchCase
        if row["version"] != asked.version:
            raise Quicker(row)
        before = cases.case_of(row)
        deed = Deed(asked.step, actor_of(person), now_ms, asked.why.strip(), asked.due_day)
        after, step = follow(before, deed, reference), STEPS[family(before.kind)][asked.step]
        if files and not step.takes_files:
            raise Refused("no_files", "这一步不收附件。", "This step takes no files.")
        columns: dict[str, Any] = {}
        if asked.step == "edit":
            after = replace(after, is_serious=asked.is_serious and before.kind == DIRECTIVE)
            columns = _texts(asked.facts, asked.demands)
        if asked.step == "issue":
            columns = {"issued_ms": now_ms}
        entry = Entry(asked.step, deed.actor, person.name, now_ms, deed.why if step.why else "")
        version = cases.move(connection, case_id, asked.version, after, entry, **columns)
        if version is None:
            raise Quicker(cases.one(connection, scope_of(person), case_id) or row)
        cases.attach(connection, case_id, version, files)
        if asked.step == "edit":
            _gather(connection, person, row, asked.fingerprints, reference, now_ms)
        stands = row | asdict(after) | {"version": version}
        if asked.step == "issue":
            stands["number"] = _issue(connection, stands | {"issued_ms": now_ms}, person, reference)
        tell(connection, here.settings, stands, asked.step, reference, now_ms)
        if after.state in {"closed", "dropped"}:
            verdict = _VERDICTS.get(after.closed_how)
            cases.settle(connection, case_id, verdict)
            if verdict:
                wish = Wish("closed", deed.why[:LONGEST_WHY], verdict=verdict)
                _see_to(connection, person, _episodes(row["alerts"]), wish, reference, now_ms)


_SEEN = Wish("acknowledged")
"""Who makes a case of an alert has seen it: nobody else is asked for it any more."""
_VERDICTS = {"recheck": "handled", "appeal": "false_alarm"}
"""What the end of a case says about its alerts."""


def _see_to(
    connection: Connection,
    person: Person,
    episodes: Sequence[tuple[str, int]],
    wish: Wish,
    reference: Reference,
    now_ms: int,
) -> None:
    """Do this to those alerts that still stand as they were taken up; others went their own way meanwhile."""
    for fingerprint, episode in sorted(episodes):
        try:
            held = handling.hold(connection, fingerprint, person.scope)
        except NoSuchAlert:  # its site lies in another district by now
            continue
        is_done = wish.did == "acknowledged" and held.care.acknowledged_ms is not None
        if held.status == "open" and held.episode == episode and not is_done:
            act(connection, person, fingerprint, Looked(episode, held.care.version), wish, reference, now_ms)


def _issue(connection: Connection, row: dict[str, Any], person: Person, reference: Reference) -> str:
    """Give a paper its number, and keep it as it is now; gives the number."""
    year = date.fromordinal(local_day(row["issued_ms"])).year
    last = cases.next_number(connection, series_of(row["kind"], row["district"], year))
    number = number_of(row["kind"], reference.law.district(row["district"]).zh, year, last)
    paper = paper_of(connection, row, reference, row["issued_ms"], number=number, issuer=person.name)
    cases.keep_paper(connection, row["case_id"], row["version"], number, as_html(paper).encode())
    return number


def _gather(
    connection: Connection,
    person: Person,
    row: dict[str, Any],
    fingerprints: Sequence[str],
    reference: Reference,
    now_ms: int,
) -> None:
    if not fingerprints:
        return
    if len(fingerprints) + len(row["alerts"]) > MOST_ALERTS:
        raise Refused(
            "too_many", f"一案至多 {MOST_ALERTS} 起预警。", f"At most {MOST_ALERTS} alerts in a case."
        )
    found = _alerts(connection, person, fingerprints)
    if any((one["site_id"], one["district"]) != (row["site_id"], row["district"]) for one in found):
        raise Refused("several_sites", "一案只涉及一个单位。", "A case is about one site.")
    cases.gather(connection, row["case_id"], _episodes(found))
    _see_to(connection, person, _episodes(found), _SEEN, reference, now_ms)


def _alerts(connection: Connection, person: Person, fingerprints: Sequence[str]) -> list[dict[str, Any]]:
    distinct = list(dict.fromkeys(fingerprints))
    if len(distinct) > MOST_ALERTS:
        raise Refused(
            "too_many", f"一案至多 {MOST_ALERTS} 起预警。", f"At most {MOST_ALERTS} alerts in a case."
        )
    rows = [alerts.one(connection, person.scope, one) for one in distinct]
    found = [row for row in rows if row is not None]
    if len(found) != len(distinct):
        raise NoSuchCase
    if any(row["status"] != "open" for row in found):
        raise Refused(
            "not_open", "预警已了结，不再立案。", "The alert has ended; there is nothing to make a case of."
        )
    return found


def _episodes(found: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["fingerprint"], row["episode"]) for row in found]


def _must_be_served(reference: Reference, site_id: str | None) -> None:
    site = reference.sites.get(site_id) if site_id else None
    if site is None or site.type in {"customer", "vehicle"}:
        raise Refused(
            "no_addressee",
            "监察指令下达给在册的单位；本预警的地点不是。",
            "A directive is served on a firm's site in the register; this alert's place is none.",
        )


def _demands(found: Sequence[dict[str, Any]]) -> str:
    remedies = list(dict.fromkeys(rule_of(row["rule"], row).words.remedy[0] for row in found))
    return "\n".join(f"{number}. {remedy}" for number, remedy in enumerate(remedies, start=1))


def _texts(facts: str, demands: str) -> dict[str, str]:
    texts = {"facts": facts.replace("\r\n", "\n").strip(), "demands": demands.replace("\r\n", "\n").strip()}
    if not texts["demands"]:
        raise Refused("demands_missing", "请填写要求。", "Say what is to be done.")
    if max(map(len, texts.values())) > LONGEST_TEXT:
        raise Refused("too_long", f"不得超过 {LONGEST_TEXT} 字。", f"At most {LONGEST_TEXT} characters.")
    return texts

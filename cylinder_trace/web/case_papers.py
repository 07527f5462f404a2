"""What a case's paper says: its alerts' facts by name, the provisions they stand on, and the records that show them."""

from datetime import date
from typing import Any

from sqlalchemy import Connection

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.exchange.paper import Evidence, Found, Paper
from cylinder_trace.judging.handling.cases import DIRECTIVE, last_day
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.law.citing import cited
from cylinder_trace.law.naming import KINDS, Naming
from cylinder_trace.mail.former import rule_of
from cylinder_trace.store import alerts, cases, ledger
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.ledger import Entry

MOST_LISTED = 200
"""Records a paper lists; it says how many there are."""
CITY = Scope("city")
CITY_OFFICE = Names("上海市市场监督管理局", "Shanghai Administration for Market Regulation")
_ORDERED, _RECHECKED, _REPORTED = (
    "特种设备安全法.62",
    "特种设备安全监督检查办法.29",
    "特种设备安全监督检查办法.30",
)


def paper_of(
    connection: Connection,
    row: dict[str, Any],
    reference: Reference,
    now_ms: int,
    *,
    number: str = "",
    issuer: str = "",
) -> Paper:
    """The paper of a case as it stands: a draft where it has no number."""
    # A paper goes to a station: it names no customer.
    naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
    district = office_of(reference, row["district"])
    due_ms = row["due_ms"] if row["due_ms"] is not None else now_ms
    common: dict[str, Any] = {
        "kind": row["kind"],
        "number": number,
        "facts": row["facts"],
        "demands": row["demands"],
        "due": date.fromordinal(last_day(due_ms)),
        "dated": date.fromordinal(local_day(now_ms)),
        "issuer": issuer,
    }
    if row["kind"] != DIRECTIVE:
        about = cases.one(connection, CITY, row["about_case"]) if row["about_case"] else None
        about_number = (about or {}).get("number") or ""
        return Paper(**common, office=CITY_OFFICE, to=district.zh, about_number=about_number)
    members = alerts_of(connection, row)
    entries = evidence_of(connection, members)
    rules = list(dict.fromkeys(law for one in members for law in rule_of(one["rule"], one).laws))
    laws = [*rules, _ORDERED, _RECHECKED, *([_REPORTED] if row["is_serious"] else [])]
    return Paper(
        **common,
        office=district,
        to=naming.site(row["site_id"]).zh,
        found=[_found(one, naming) for one in members],
        laws=[cited(reference.law, one) for one in dict.fromkeys(laws)],
        evidence=[_evidence(one, naming) for one in entries[:MOST_LISTED]],
        evidence_in_all=len(entries),
        is_serious=row["is_serious"],
        recheck_days=int(reference.number("recheck.within_working_days", now_ms)),
    )


def office_of(reference: Reference, adcode: str) -> Names:
    """The office that answers for a district."""
    district = reference.law.district(adcode)
    if district.zh.endswith("局"):
        return Names(district.zh, district.en)
    return Names(f"{district.zh}市场监督管理局", f"{district.en} Administration for Market Regulation")


def alerts_of(connection: Connection, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The alerts of a case that its reader has been let into, the gravest first."""
    found = [alerts.one(connection, CITY, one["fingerprint"]) for one in row["alerts"]]
    return sorted((one for one in found if one), key=lambda one: (one["severity"], one["at_ms"]))


def evidence_of(connection: Connection, members: list[dict[str, Any]]) -> list[Entry]:
    """The records that show these alerts, as they happened."""
    ids = list(dict.fromkeys(one for row in members for one in (*row["evidence"], *row["members"])))
    found = ledger.on_record(connection, ids).values()
    return sorted(found, key=lambda entry: (entry.occurred_ms, entry.event_id))


def _found(row: dict[str, Any], naming: Naming) -> Found:
    words = rule_of(row["rule"], row).words
    about = naming.subject(row["subject"], row["facts"])
    if row["cylinder_id"]:
        about = Names(f"气瓶 {about.zh}", f"cylinder {about.en}")
    return Found(Names(*words.title), about, naming.told(words.fact, row["facts"]))


def _evidence(entry: Entry, naming: Naming) -> Evidence:
    occurred = moment_of(entry.occurred_ms).astimezone(SHANGHAI)
    return Evidence(
        entry.event_id,
        KINDS.get(entry.kind, Names(entry.kind, entry.kind)),
        entry.code or "",
        naming.site(entry.site_id).zh if entry.site_id else "",
        f"{occurred:%Y-%m-%d %H:%M:%S}",
        entry.leaf_hash.hex(),
    )

"""One cylinder's whole life, read once and shown in several ways."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import networkx as nx
from msgspec import structs
from sqlalchemy import Connection

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.circulation import trail
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import Leg, State
from cylinder_trace.law.naming import Naming
from cylinder_trace.law.tables import LawError
from cylinder_trace.store import alerts, codes, ledger, legs
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.ledger import Entry

_OF_CUSTOMERS = frozenset({"lat", "lon"})
_OF_OTHERS = frozenset({"operator_id", "device_id", "device_seq", "person", "inspector_id", "reviewer_id"})
_OF_OTHERS |= {"customer", "waybill", "vehicle", "note", "photo_sha256"}
"""What a station's people do not read of an event: nothing of where customers live, and nobody else's people."""


@dataclass(frozen=True)
class Life:
    """What a reader may know of one cylinder: everything, or where `own_site` is set that site's part of it.

    `void` are ids of events that corrections declared wrong; `terms` from which day until which day an inspection
    or the register has it valid, wherever that was recorded; `last_seen_ms` None where it was seen elsewhere.
    """

    cylinder_id: str
    codes: list[str]
    state: State
    entries: list[Entry]
    void: set[str]
    legs: list[Leg]
    alerts: list[dict[str, Any]]
    reference: Reference
    terms: list[tuple[int, int]]
    last_seen_ms: int | None
    own_site: str | None

    def moment(self, ms: int | None) -> str | None:
        """A time as text with its offset; None stays None."""
        return None if ms is None else moment_of(ms).isoformat()

    def summary(self) -> dict[str, Any]:
        """The cylinder as it stands, as JSON."""
        state = self.state
        return {
            "cylinder_id": self.cylinder_id,
            "codes": self.codes,
            "registered_at": self.moment(state.registered_ms),
            "cylinder_class": state.cylinder_class,
            "medium": state.medium,
            "model": state.model,
            "owner_id": state.owner,
            "status": state.status,
            "valid_until": day_text(state.valid_until_day),
            "life_end": day_text(state.life_end_day),
            "site_id": state.loc,
            "last_filled_at": self.moment(state.fill_ms),
            "last_seen_at": self.moment(self.last_seen_ms),
            "events": len(self.entries),
            "alerts": self.alerts,
            "own_site_only": self.own_site is not None,
        }


def life_of(connection: Connection, state: State, reference: Reference, scope: Scope) -> Life:
    """Read a cylinder's life as far as a scope may, with the corrections of its events that were filed elsewhere.

    A station reads what was recorded at its own site and what an office recorded at none, the legs that begin or
    end at its own site, and the alerts there. Regulators read all.
    """
    own_site = scope.id if scope.kind == "station" else None
    its_codes = codes.codes_of(connection, state.cylinder_id)
    entries = {entry.event_id: entry for entry in ledger.of_codes(connection, its_codes)}
    entries |= ledger.on_record(connection, list(ledger.corrections_of(connection, entries)))
    in_order = sorted(entries.values(), key=lambda entry: (entry.occurred_ms, entry.event_id))
    void = ledger.void_among(connection, entries)
    whole = Life(
        state.cylinder_id,
        its_codes,
        state,
        in_order,
        void,
        legs.of_cylinder(connection, state.cylinder_id),
        alerts.of_cylinder(connection, state.cylinder_id, its_codes),
        reference,
        _terms(in_order, void),
        state.last_ms,
        None,
    )
    return whole if own_site is None else _part_of(whole, own_site)


def _part_of(life: Life, site_id: str) -> Life:
    state, scope = life.state, Scope("station", site_id)
    entries = [readable(entry, scope) for entry in life.entries if entry.site_id in {None, site_id}]
    filled_here = state.fill_site == site_id
    last_seen_here = any(
        entry.event_id == state.last_event and entry.site_id == site_id for entry in life.entries
    )
    return replace(
        life,
        state=structs.replace(
            state,
            loc=state.loc if state.loc == site_id else None,
            fill_ms=state.fill_ms if filled_here else None,
            fill_site=state.fill_site if filled_here else None,
        ),
        entries=entries,
        void=life.void & {entry.event_id for entry in entries},
        legs=[leg for leg in life.legs if site_id in {leg.from_site, leg.to_site}],
        alerts=[row for row in life.alerts if within(row, scope)],
        last_seen_ms=state.last_ms if last_seen_here else None,
        own_site=site_id,
    )


def readable(entry: Entry, scope: Scope) -> Entry:
    """An event as a scope may read it. Its leaf hash stays that of the whole event."""
    if scope.kind != "station":
        return entry
    kept_back = _OF_CUSTOMERS if entry.site_id == scope.id else _OF_CUSTOMERS | _OF_OTHERS
    message = {name: value for name, value in entry.message.items() if name not in kept_back}
    return replace(entry, body=json.dumps(message, ensure_ascii=False))


def _terms(entries: Collection[Entry], void: Collection[str]) -> list[tuple[int, int]]:
    terms: list[tuple[int, int]] = []
    for entry in entries:
        if entry.kind not in {"register", "update", "inspect", "scrap"} or entry.event_id in void:
            continue
        message, day = entry.message, local_day(entry.occurred_ms)
        if entry.kind == "scrap" or message.get("result") in {"fail", "scrap"}:
            terms.append((day, day - 1))  # from then on it may not be used, whatever term it had
        elif until := message.get("valid_until") or message.get("cylinder", {}).get("valid_until"):
            terms.append((day, date.fromisoformat(until).toordinal()))
    return terms


def within(alert: dict[str, Any], scope: Scope) -> bool:
    """Whether a scope covers an alert, as the store decides it."""
    if scope.kind == "city":
        return True
    return bool(alert["district" if scope.kind == "district" else "site_id"] == scope.id)


def trail_json(life: Life) -> dict[str, Any]:
    """The custody trail in node-link form."""
    graph = trail(life.legs, life.reference)
    data: dict[str, Any] = nx.node_link_data(graph, edges="links")
    data["graph"] = {}  # what the rules are told beside the legs is none of the reader's
    data["own_site_only"] = life.own_site is not None
    if life.own_site is not None:
        reference = life.reference
        naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
        for node in data["nodes"]:
            node["name"] = naming.site(node["id"]).zh
    for link in data["links"]:
        leg: Leg = link.pop("leg")
        link |= {
            "cylinder_id": life.cylinder_id,
            "no": leg.no,
            "kind": leg.kind,
            "departed_at": life.moment(leg.departed_ms),
            "arrived_at": life.moment(leg.arrived_ms),
            "events": [leg.depart_event, leg.arrive_event],
            "gap": leg.gap,
        }
    return data


def day_text(day: int | None) -> str | None:
    """A day number as YYYY-MM-DD; None stays None."""
    return None if day is None else date.fromordinal(day).isoformat()


def life_is_confirmed(state: State, reference: Reference, now_ms: int) -> bool:
    """Whether the end of a cylinder's life rests on a row of the law tables that is confirmed; True where it has none."""
    if state.life_end_day is None or not (state.cylinder_class and state.medium and state.manufactured):
        return True
    made, today = date.fromisoformat(state.manufactured), date.fromordinal(local_day(now_ms))
    try:
        life = reference.law.service_life(state.cylinder_class, state.medium, made, today)
    except LawError:
        return True
    return life.row.confirmed

"""One cylinder's whole life, read once and shown in several ways."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import networkx as nx
from sqlalchemy import Connection

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import Leg, State
from cylinder_trace.law.tables import LawError
from cylinder_trace.store import alerts, codes, ledger, legs
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.ledger import Entry


@dataclass(frozen=True)
class Life:
    """Everything on record about one cylinder. `void` are ids of events that corrections declared wrong."""

    cylinder_id: str
    codes: list[str]
    state: State
    entries: list[Entry]
    void: set[str]
    legs: list[Leg]
    alerts: list[dict[str, Any]]
    reference: Reference

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
            "last_seen_at": self.moment(state.last_ms),
            "events": len(self.entries),
            "alerts": self.alerts,
        }


def life_of(connection: Connection, state: State, reference: Reference, scope: Scope) -> Life:
    """Read a cylinder's whole life, with the corrections of its events that were filed elsewhere.

    Of the alerts, a station reads those at its own site only.
    """
    its_codes = codes.codes_of(connection, state.cylinder_id)
    entries = {entry.event_id: entry for entry in ledger.of_codes(connection, its_codes)}
    entries |= ledger.on_record(connection, list(ledger.corrections_of(connection, entries)))
    found = alerts.of_cylinder(connection, state.cylinder_id, its_codes)
    return Life(
        state.cylinder_id,
        its_codes,
        state,
        sorted(entries.values(), key=lambda entry: (entry.occurred_ms, entry.event_id)),
        ledger.void_among(connection, entries),
        legs.of_cylinder(connection, state.cylinder_id),
        [row for row in found if scope.kind != "station" or within(row, scope)],
        reference,
    )


def within(alert: dict[str, Any], scope: Scope) -> bool:
    """Whether a scope covers an alert, as the store decides it."""
    if scope.kind == "city":
        return True
    return bool(alert["district" if scope.kind == "district" else "site_id"] == scope.id)


def trail_json(life: Life) -> dict[str, Any]:
    """The custody trail in node-link form."""
    graph = movements(((life.cylinder_id, leg) for leg in life.legs), life.reference)
    data: dict[str, Any] = nx.node_link_data(graph, edges="links")
    for link in data["links"]:
        leg: Leg = link.pop("leg")
        link |= {
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

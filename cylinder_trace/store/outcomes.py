"""What became of every alert of a ledger, with all the events that show it: for whoever measures the judge."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from cylinder_trace.store.tables import alert, finding


def every_alert(connection: Connection) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every alert that ever was, as its row, and the ids of the events that show it or, where it ended, that showed it."""
    shown: dict[str, set[str]] = {}
    for fingerprint, event_id in connection.execute(select(finding.c.fingerprint, finding.c.event_id)):
        shown.setdefault(fingerprint, set()).add(event_id)
    names = ("fingerprint", "rule", "subject", "status", "at_ms", "first_opened_ms", "body")
    for row in connection.execute(select(*(alert.c[name] for name in names))).mappings():
        named = json.loads(row["body"])["evidence"]
        yield dict(row), frozenset((*named, *shown.get(row["fingerprint"], ())))

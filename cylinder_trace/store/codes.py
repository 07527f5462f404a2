"""Codes: which of them name one cylinder. What is bound is kept as it was said; a corrected binding counts for nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select, text, update

from cylinder_trace.contract.code import parse_code
from cylinder_trace.judging.scan import Scan
from cylinder_trace.store.database import add_missing, chunked
from cylinder_trace.store.tables import code_link

_LOCK = 7_270_001


def hold(connection: Connection, *, exclusively: bool) -> None:
    """Keep bindings and what is lawful as they are, or to ourselves, until the transaction ends."""
    # Who binds codes must not meet a judge that still takes them for separate cylinders. SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        shared = "" if exclusively else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{shared}({_LOCK})"))


def links_of(scan: Scan) -> list[str]:
    """The further codes that an event binds to the cylinder it was scanned on."""
    codes = [scan.new_code] if scan.new_code else []
    if scan.master:
        codes += [parse_code(alias["code"]).text for alias in scan.master.get("codes", ())]
    return [code for code in codes if code != scan.code]


def bind(connection: Connection, scans: Sequence[Scan], void: Collection[str]) -> set[str]:
    """Bind the further codes of these events, or unbind those of the `void` ones; gives the codes they name."""
    rows: dict[tuple[str, str], dict[str, Any]] = {
        (code, scan.event_id): {
            "code": code,
            "event_id": scan.event_id,
            "parent": scan.code,
            "bound_ms": scan.at_ms,
            "void": scan.event_id in void,
        }
        for scan in scans
        for code in links_of(scan)
    }
    add_missing(connection, code_link, list(rows.values()))
    for row in rows.values():
        which = (code_link.c.code == row["code"]) & (code_link.c.event_id == row["event_id"])
        connection.execute(update(code_link).where(which).values(void=row["void"]))
    return {named for row in rows.values() for named in (row["code"], row["parent"])}


def root_of(connection: Connection, code: str) -> str:
    """The cylinder's internal id: the code from which all its other codes were bound."""
    return roots_of(connection, [code])[code]


def roots_of(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """The cylinder id of each code; a code bound to no other is its own."""
    roots = {code: code for code in codes}
    seen: dict[str, list[str]] = {code: [code] for code in roots}
    growing = set(roots)
    while growing:
        parents = _parents(connection, {roots[code] for code in growing})
        still = set()
        for code in growing:
            parent = parents.get(roots[code])
            if parent is None:
                continue
            if parent in seen[code]:  # two codes bound to each other: the smaller one is the root, for either
                roots[code] = min(seen[code][seen[code].index(parent) :])
                continue
            seen[code].append(parent)
            roots[code] = parent
            still.add(code)
        growing = still
    return roots


def codes_of(connection: Connection, cylinder_id: str) -> list[str]:
    """All codes of a cylinder, its id first."""
    return all_codes_of(connection, [cylinder_id])[cylinder_id]


def all_codes_of(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, list[str]]:
    """All codes of each cylinder, its id first."""
    codes = {cylinder_id: [cylinder_id] for cylinder_id in cylinder_ids}
    newest = {cylinder_id: cylinder_id for cylinder_id in codes}  # code -> the cylinder it belongs to
    while newest:
        children: set[str] = set()
        for some in chunked(sorted(newest)):
            bound = select(code_link.c.code).where(code_link.c.parent.in_(some), ~code_link.c.void)
            children |= set(connection.scalars(bound.distinct()))
        # A code may have been bound to several; the binding that happened first says whose it is.
        parents = _parents(connection, children)
        following: dict[str, str] = {}
        for code in sorted(children):
            owner = newest.get(parents.get(code, ""))
            if owner is not None and code not in codes[owner]:
                codes[owner].append(code)
                following[code] = owner
        newest = following
    return codes


def _parents(connection: Connection, codes: Collection[str]) -> dict[str, str]:
    """The code that each was bound to first, so that the order of arrival does not matter."""
    bound: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    columns = (code_link.c.code, code_link.c.bound_ms, code_link.c.event_id, code_link.c.parent)
    for some in chunked(sorted(codes)):
        rows = connection.execute(select(*columns).where(code_link.c.code.in_(some), ~code_link.c.void))
        for code, *binding in rows:
            bound[code].append((binding[0], binding[1], binding[2]))
    return {code: min(bindings)[2] for code, bindings in bound.items()}

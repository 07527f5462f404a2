"""Who is told: from a district's recipients those that asked for this, else all of them, else the city's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cylinder_trace.judging.handling.timing import DIGEST

EVERYWHERE = "*"
"""The district of the fallback recipients, who get what no district's team is named for."""

HOURS = ("any", "working", "off")
"""When a recipient wants to be told: always, in working time only, or out of it only (the officer on duty)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address and what it is for. `rules` and `severities` are empty for all; `level` 0 is the team that acts, 1 its
    head, 2 the city: those above are told when nobody below them has acted.
    """

    address: str
    district: str
    name: str = ""
    rules: frozenset[str] = frozenset()
    severities: frozenset[int] = frozenset()
    hours: str = "any"
    level: int = 0


def chosen(
    recipients: Iterable[Recipient],
    district: str | None,
    rule: str,
    severity: int,
    *,
    is_working_time: bool,
    level: int = 0,
) -> list[Recipient]:
    """Whom a notice goes to, in the order of their addresses; nobody only where no recipient is named at all.

    The nearest branch that has somebody decides: the district's recipients of this level who asked for such, then those
    for all the rest of it; where the district has none of that level, the city's fallback. Above level 0 those below
    are told too, so that they know.
    """
    known = list(recipients)
    found: dict[str, Recipient] = {}
    for step in range(level + 1):
        for one in _at_level(known, district, step, rule, severity, is_working_time=is_working_time):
            found.setdefault(one.address, one)
    if not found:
        for one in known:
            if one.district in {district, EVERYWHERE}:
                found.setdefault(one.address, one)
    return [found[address] for address in sorted(found)]


def _at_level(
    known: Sequence[Recipient],
    district: str | None,
    level: int,
    rule: str,
    severity: int,
    *,
    is_working_time: bool,
) -> list[Recipient]:
    for branch in (district, EVERYWHERE):
        of_branch = [one for one in known if one.district == branch and one.level == level]
        wants = [one for one in of_branch if _wants(one, rule, severity, is_working_time=is_working_time)]
        # Who asked for this rule by name is meant, and those who asked for everything are not.
        if by_name := [one for one in wants if rule in one.rules]:
            return by_name
        if wants:
            return wants
    return []


def _wants(one: Recipient, rule: str, severity: int, *, is_working_time: bool) -> bool:
    if one.rules and rule not in one.rules:
        return False
    if one.severities and severity not in one.severities:
        return False
    # A digest is read when there is time for it.
    return severity == DIGEST or one.hours == "any" or (one.hours == "working") == is_working_time

"""What runs out within the look-ahead at a station or of a firm: cylinders, the licence, people's certificates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, func, select

from cylinder_trace.judging.handling.duties import certificates_ending, licence_ending
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import State
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.tables import cylinder

LONGEST_PAST_DAYS = 36_525


@dataclass(frozen=True, slots=True)
class Party:
    """Whose list it is: a site with the cylinders that stand there, or a firm with those it owns."""

    id: str
    is_owner: bool


@dataclass(frozen=True, slots=True)
class DueCylinder:
    """A cylinder that runs out: the last day of its inspection and of its life, and where it is."""

    cylinder_id: str
    owner_id: str | None
    site_id: str | None
    model: str | None
    medium: str | None
    term_day: int
    valid_until_day: int | None
    life_end_day: int | None

    @property
    def is_life(self) -> bool:
        """Whether it is the life that ends, which no inspection helps."""
        return self.term_day == self.life_end_day


@dataclass(frozen=True, slots=True)
class DuePaper:
    """A licence or a certificate that runs out: of which site or firm, and of whom."""

    kind: str
    party_id: str
    whose: str
    until: str


def sites_within(reference: Reference, scope: Scope) -> list[str]:
    """The stations, depots and agencies that a scope covers, by id."""
    ours = reference.stations | reference.depots | reference.agencies
    if scope.kind == "station":
        return [scope.id]
    return sorted(one for one in ours if scope.kind == "city" or reference.sites[one].district == scope.id)


def owners_within(reference: Reference, scope: Scope) -> list[str]:
    """The firms whose cylinders a scope may list: all, or those that run a place within it."""
    if scope.kind == "city":
        return sorted(reference.owners)
    records = (reference.sites.get(one) for one in sites_within(reference, scope))
    return sorted({one.owner_id for one in records if one is not None and one.owner_id})


def parties_within(reference: Reference, scope: Scope) -> list[Party]:
    """Whose due lists a scope may read: the sites', then the firms'."""
    return [
        *(Party(one, False) for one in sites_within(reference, scope)),
        *(Party(one, True) for one in owners_within(reference, scope)),
    ]


def cylinders(
    connection: Connection,
    party: Party,
    reference: Reference,
    now_ms: int,
    limit: int,
    offset: int = 0,
    *,
    is_over: bool = False,
) -> tuple[int, list[DueCylinder]]:
    """A party's cylinders that run out within the look-ahead, or that have: how many, and a page, the earliest first."""
    which = _which(party, reference, now_ms, is_over=is_over)
    total = connection.scalar(select(func.count()).select_from(cylinder).where(which)) or 0
    columns = (cylinder.c.cylinder_id, cylinder.c.term_day, cylinder.c.state)
    page = select(*columns).where(which).order_by(cylinder.c.term_day, cylinder.c.cylinder_id)
    rows = connection.execute(page.limit(limit).offset(offset))
    return total, [_due(cylinder_id, day, State.restored(text)) for cylinder_id, day, text in rows]


def all_cylinders(
    connection: Connection, party: Party, reference: Reference, now_ms: int, most: int, *, is_over: bool
) -> Iterator[DueCylinder]:
    """The same as a stream, at most so many."""
    columns = (cylinder.c.cylinder_id, cylinder.c.term_day, cylinder.c.state)
    whole = select(*columns).where(_which(party, reference, now_ms, is_over=is_over))
    whole = whole.order_by(cylinder.c.term_day, cylinder.c.cylinder_id).limit(most)
    for cylinder_id, day, text in connection.execute(whole.execution_options(yield_per=1000)):
        yield _due(cylinder_id, day, State.restored(text))


def papers(party: Party, reference: Reference, now_ms: int) -> list[DuePaper]:
    """The licences and certificates of a party that have run out, or will within the look-ahead, the earliest first."""
    sites = [party.id]
    found: list[DuePaper] = []
    if party.is_owner:
        sites = [one for one in sorted(reference.sites) if _runs(reference, party.id, one)]
        firm = reference.owners.get(party.id)
        until = firm.licence_valid_until if firm else None
        if until and until.toordinal() <= _last_day(reference, now_ms):
            found.append(DuePaper("owner_licence", party.id, "", until.isoformat()))
    for site in sites:
        if licence := licence_ending(reference, site, now_ms):
            found.append(DuePaper("filling_licence", site, "", licence["until"]))
        found += [
            DuePaper("certificate", site, one["person_id"], one["until"])
            for one in certificates_ending(reference, site, now_ms)
        ]
    return sorted(found, key=lambda one: (one.until, one.kind, one.whose))


def _runs(reference: Reference, owner: str, site: str) -> bool:
    record = reference.sites[site]
    return record.owner_id == owner and record.type != "customer"


def _last_day(reference: Reference, now_ms: int) -> int:
    return local_day(now_ms) + int(reference.number("due_list.before_days", now_ms))


def _which(party: Party, reference: Reference, now_ms: int, *, is_over: bool) -> ColumnElement[bool]:
    today = local_day(now_ms)
    column = cylinder.c.owner_id if party.is_owner else cylinder.c.site_id
    # From a day, so that those without a term, which an index holds too, are not gone through.
    first, last = (today - LONGEST_PAST_DAYS, today - 1) if is_over else (today, _last_day(reference, now_ms))
    return and_(column == party.id, cylinder.c.term_day.between(first, last))


def _due(cylinder_id: str, term_day: int, state: State | None) -> DueCylinder:
    its = state or State(cylinder_id)
    return DueCylinder(
        cylinder_id,
        its.owner,
        its.loc,
        its.model,
        its.medium,
        term_day,
        its.valid_until_day,
        its.life_end_day,
    )


def as_date(day: int | None) -> date | None:
    """A day number as a date; None stays None."""
    return None if day is None else date.fromordinal(day)

"""Who was who, and what was lawful, at a given moment: the parties, their papers and the law tables."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import asin, cos, radians, sin, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.judging.devices import Devices, Enrolment
from cylinder_trace.judging.history import History
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, MINUTE_MS, day_start_ms, local_day, overruled
from cylinder_trace.law.tables import Law, NoLawForThat, life_end

_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class LicencePeriod:
    """A licence as it was granted: in force from `from_ms` through `until_day`, for `media`."""

    from_ms: int
    until_day: int
    media: frozenset[str]
    event_id: str


class TagBlock(NamedTuple):
    """Numbers issued to an owner from `from_ms` on, both ends inclusive."""

    from_ms: int
    first: str
    last: str


class FillCheckTerms(NamedTuple):
    """How long before a fill its check may lie and how long after it, and by how much two clocks may differ; in ms."""

    before_ms: int
    before_tolerance_ms: int
    after_ms: int
    after_tolerance_ms: int


class CustodyTerms(NamedTuple):
    """After how long a shipped cylinder is missing, and by segment one that stands with a user; for how long conflicts
    of its places count, and how long before its end a term is near; in ms.
    """

    receive_ms: int
    dwell_ms: dict[str, int]
    conflicts_ms: int
    term_near_ms: int


@dataclass
class Reference:
    """Everything about the parties that a rule may ask, looked up as of the event's time.

    `sites` and `owners` are the latest record of each, for names and addresses. What a site is and where it stands never
    changes: another place is another site. `guns` are all sites that ever had one of that id.
    Before `certified_until_ms` a person is certified without a doubt; after it the register has to be asked.
    """

    law: Law
    sites: dict[str, SiteRecord] = field(default_factory=dict)
    owners: dict[str, OwnerRecord] = field(default_factory=dict)
    licences: dict[str, list[LicencePeriod]] = field(default_factory=lambda: defaultdict(list))
    agreements: dict[tuple[str, str], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    approvals: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    tag_blocks: dict[str, list[TagBlock]] = field(default_factory=lambda: defaultdict(list))
    stations: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    depots: set[str] = field(default_factory=set)
    agencies: set[str] = field(default_factory=set)
    guns: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    devices: Devices = field(default_factory=lambda: Devices({}))
    certified_until_ms: dict[str, int] = field(default_factory=dict)
    _sites: dict[str, History[SiteRecord]] = field(default_factory=dict)
    _owners: dict[str, History[OwnerRecord]] = field(default_factory=dict)
    _people: dict[str, History[PersonRecord]] = field(default_factory=dict)
    _staffed: set[str] = field(default_factory=set)
    _media: frozenset[str] = frozenset()
    _numbers: dict[tuple[str, int], float] = field(default_factory=dict)
    _check_terms: dict[int, FillCheckTerms] = field(default_factory=dict)
    _custody_terms: dict[int, CustodyTerms] = field(default_factory=dict)
    _allowed_g: dict[tuple[str | None, float | None, int], int | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        law: Law,
        records: Iterable[Any],
        messages: Iterable[Mapping[str, Any]],
        enrolled: Mapping[str, Enrolment] = MappingProxyType({}),
    ) -> "Reference":
        """Build from master records and from the JSON of papers (licence, agreement ...) and correct events, in any order.

        `enrolled` are the devices that may send.
        """
        media = frozenset(row.text("code") for row in law.rows() if row.table == "media")
        reference = cls(law, devices=Devices(enrolled), _media=media)
        for record in records:
            reference.add_record(record)
        messages = list(messages)
        void = overruled(
            {message["event_id"]: message["corrects"] for message in messages if message["kind"] == "correct"}
        )
        for message in messages:
            if message["event_id"] not in void:
                reference._add_paper(message)
        for periods in reference.licences.values():
            periods.sort(key=lambda period: (period.from_ms, period.until_day))
        return reference

    def add_record(self, record: Any) -> None:
        """Take in a site, an owner or a person; a record of the same id and `valid_from` replaces the earlier one.

        A district that was abolished is the one that answers for it today, so that a merger moves nobody out of area.
        """
        if isinstance(record, SiteRecord):
            record = record.model_copy(update={"district": self._district(record.district)})
            sites = self._sites.setdefault(record.site_id, History())
            sites.add(record)
            self.sites[record.site_id] = latest = sites.latest
            for kind, ids in self._by_type().items():
                (ids.add if latest.type == kind else ids.discard)(record.site_id)
            for gun in record.guns:
                self.guns[gun].add(record.site_id)
        elif isinstance(record, OwnerRecord):
            districts = tuple(self._district(one) for one in record.districts)
            record = record.model_copy(update={"districts": districts})
            owners = self._owners.setdefault(record.owner_id, History())
            owners.add(record)
            self.owners[record.owner_id] = owners.latest
        elif isinstance(record, PersonRecord):
            people = self._people.setdefault(record.person_id, History())
            people.add(record)
            self.certified_until_ms[record.person_id] = _certified_until_ms(people)
            if record.site_id is not None:
                self._staffed.add(record.site_id)

    def _by_type(self) -> dict[str, set[str]]:
        return {
            "filling_station": self.stations,
            "customer": self.customers,
            "depot": self.depots,
            "inspection_agency": self.agencies,
        }

    def _district(self, adcode: str) -> str:
        try:
            return self.law.district(adcode).adcode
        except NoLawForThat:
            return adcode

    def _add_paper(self, message: Mapping[str, Any]) -> None:
        kind = message["kind"]
        if kind == "licence":
            period = LicencePeriod(
                _occurred_ms(message),
                date.fromisoformat(message["valid_until"]).toordinal(),
                frozenset(message["media"]),
                message["event_id"],
            )
            self.licences[message["licensed_site_id"]].append(period)
        elif kind == "agreement":
            self.agreements[message["owner_id"], message["station_id"]].append(_days(message))
        elif kind == "approval":
            district = self._district(message["district"])
            self.approvals[message["owner_id"], district].append(_days(message))
        elif kind == "tag_block":
            block = TagBlock(_occurred_ms(message), message["code_from"], message["code_to"])
            self.tag_blocks[message["owner_id"]].append(block)

    def site(self, site: str | None, at_ms: int) -> SiteRecord | None:
        """A site as it was at a moment; None for one that is not in the register."""
        history = self._sites.get(site) if site else None
        return history.at(at_ms) if history else None

    def home_of_gun(self, gun: str, site: str, at_ms: int) -> str:
        """Where a gun that was used at a site belonged: there, unless the register had it at other sites only.

        Many stations number their guns from one on, so that one id is at home at several.
        """
        named = self.guns.get(gun)
        if not named:
            return site
        homes = [one for one in named if (record := self.site(one, at_ms)) and gun in record.guns]
        return site if site in homes or not homes else min(homes)

    def opened_ms(self, site: str) -> int | None:
        """When a site began to be; None where the register does not say."""
        history = self._sites.get(site)
        return history.since_ms if history else None

    def owner(self, owner: str | None, at_ms: int) -> OwnerRecord | None:
        """A firm as it was at a moment; None for one that is not in the register."""
        history = self._owners.get(owner) if owner else None
        return history.at(at_ms) if history else None

    def person(self, person: str | None, at_ms: int) -> PersonRecord | None:
        """A person as the staff register had them at a moment; None for one it does not know."""
        history = self._people.get(person) if person else None
        return history.at(at_ms) if history else None

    def is_staffed(self, site: str | None) -> bool:
        """Whether the staff register knows people at this site: else nobody there can be missing from it."""
        return site in self._staffed

    def owner_of_site(self, site: str | None, at_ms: int) -> str | None:
        """The firm that ran a site; None where the site or its firm is not in the register."""
        record = self.site(site, at_ms)
        return record.owner_id if record else None

    def site_name(self, site: str | None) -> str | None:
        """What people call a site; its id where it is not in the register, None for no site."""
        record = self.sites.get(site) if site else None
        return record.name if record else site

    def is_open(self, site: str, at_ms: int) -> bool | None:
        """Whether a moment lay in the site's declared hours, which may run past midnight; None where none are declared."""
        record = self.site(site, at_ms)
        if record is None or record.opens is None or record.closes is None:
            return None
        opens, closes = _minute(record.opens), _minute(record.closes)
        minute = (at_ms - day_start_ms(local_day(at_ms))) // MINUTE_MS
        if opens < closes:
            return opens <= minute < closes
        return minute >= opens or minute < closes

    def distance_km(self, one: str | None, other: str | None) -> float | None:
        """As the crow flies between two sites; None where the place of one is not on record."""
        a, b = self.sites.get(one or ""), self.sites.get(other or "")
        if a is None or b is None or None in (a.lat, a.lon, b.lat, b.lon):
            return None
        lat_a, lon_a, lat_b, lon_b = (radians(x or 0.0) for x in (a.lat, a.lon, b.lat, b.lon))
        half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
        return 2 * _EARTH_KM * asin(sqrt(half))

    def may_serve(self, owner: str, district: str, at_ms: int) -> bool:
        """Whether a firm was licensed to serve a district that day, or a delivery beyond its area was approved."""
        firm = self.owner(owner, at_ms)
        if firm is None or not firm.districts or district in firm.districts:
            return True
        return _holds(self.approvals.get((owner, district), ()), at_ms)

    def has_agreement(self, owner: str, station: str, at_ms: int) -> bool:
        """Whether `station` was allowed to fill `owner`'s cylinders on that day."""
        return _holds(self.agreements.get((owner, station), ()), at_ms)

    def in_block(self, owner: str, code: str, at_ms: int) -> bool | None:
        """Whether a code lies in the numbers issued to a firm by then; None where none are on record."""
        blocks = self.tag_blocks.get(owner)
        if not blocks:
            return None
        for block in blocks:
            # Numbers of one length are in the order of their digits.
            if block.from_ms <= at_ms and len(code) == len(block.first) and block.first <= code <= block.last:
                return True
        return False

    def is_licensed(self, site: str, medium: str | None, at_ms: int) -> bool:
        """Whether a licence of the site was in force at that moment and covers the medium."""
        day = local_day(at_ms)
        for period in self.licences.get(site, ()):
            if period.from_ms <= at_ms and day <= period.until_day and medium in period.media:
                return True
        return False

    def licences_in_force(self, site: str, at_ms: int) -> list[LicencePeriod]:
        """The licences of a site in force at that moment; empty where it has none."""
        periods = self.licences.get(site, [])
        granted = periods[: bisect_right(periods, at_ms, key=lambda period: period.from_ms)]
        day = local_day(at_ms)
        return [period for period in granted if day <= period.until_day]

    def number(self, key: str, at_ms: int) -> float:
        """A threshold of the law tables as it stood on that day."""
        asked = key, local_day(at_ms)
        known = self._numbers.get(asked)
        if known is None:
            known = self._numbers[asked] = self.law.number(key, date.fromordinal(asked[1]))
        return known

    def fill_check_terms(self, at_ms: int) -> FillCheckTerms:
        """The terms that hold for the checks of a fill at that moment."""
        day = local_day(at_ms)
        known = self._check_terms.get(day)
        if known is None:
            known = self._check_terms[day] = FillCheckTerms(
                int(self.number("no_precheck.before_h", at_ms) * HOUR_MS),
                int(self.number("no_precheck.clock_tolerance_min", at_ms) * MINUTE_MS),
                int(self.number("no_postcheck.within_h", at_ms) * HOUR_MS),
                int(self.number("no_postcheck.clock_tolerance_min", at_ms) * MINUTE_MS),
            )
        return known

    def custody_terms(self, at_ms: int) -> CustodyTerms:
        """The terms of custody that hold at that moment."""
        day = local_day(at_ms)
        known = self._custody_terms.get(day)
        if known is None:
            dwell_ms = {
                segment: int(self.number(f"long_dwell.{segment}_days", at_ms) * DAY_MS)
                for segment in ("household", "restaurant", "industrial")
            }
            known = self._custody_terms[day] = CustodyTerms(
                int(
                    (
                        self.number("never_received.after_h", at_ms)
                        + self.number("never_received.grace_h", at_ms)
                    )
                    * HOUR_MS
                ),
                dwell_ms,
                int(self.number("clone.window_days", at_ms) * DAY_MS),
                int(self.number("due_soon.before_days", at_ms) * DAY_MS),
            )
        return known

    def knows_medium(self, medium: str) -> bool:
        """Whether the tables have a gas, or every gas of a mixture."""
        return self._media.issuperset(medium.split("+"))

    def allowed_g(
        self, model: str | None, volume_l: float | None, medium: str | None, at_ms: int
    ) -> int | None:
        """Grams of gas the cylinder may hold; None where the tables do not limit its mass."""
        if medium != "lpg":
            return None
        asked = model, volume_l, local_day(at_ms)
        if asked not in self._allowed_g:
            allowed = self.law.allowed_gas_mass_kg(model, volume_l, date.fromordinal(asked[2]))
            self._allowed_g[asked] = None if allowed is None else round(allowed.value_kg * 1000)
        return self._allowed_g[asked]

    def life_end_day(
        self,
        cylinder_class: str,
        medium: str,
        manufactured: str | None,
        extension_day: int | None,
        at_ms: int,
    ) -> int | None:
        """The last day of the design life or of its recorded extension; None where tables, stamp and extension are silent.

        Where the tables limit extensions, a longer one that was recorded ends with what they allow.
        """
        if manufactured is None:
            return extension_day
        made = date.fromisoformat(manufactured)
        try:
            life = self.law.service_life(cylinder_class, medium, made, date.fromordinal(local_day(at_ms)))
        except NoLawForThat:
            return extension_day
        end = life_end(made, life.years).toordinal()
        if extension_day is None:
            return end
        if life.max_extension_years:
            most = min(life.years + life.max_extension_years, life.hard_stop_years)
            extension_day = min(extension_day, life_end(made, most).toordinal())
        return max(end, extension_day)


def _certified_until_ms(people: History[PersonRecord]) -> int:
    """Until when a person of one record is certified; 0 for one whose records differ from day to day."""
    person = people.only
    if person is None or person.certificate_no is None:
        return 0
    until = person.certificate_valid_until
    return day_start_ms(until.toordinal() + 1) if until else 2**62


def _occurred_ms(message: Mapping[str, Any]) -> int:
    return epoch_ms(datetime.fromisoformat(message["occurred_at"]))


def _days(message: Mapping[str, Any]) -> tuple[int, int]:
    first, last = (date.fromisoformat(message[name]).toordinal() for name in ("valid_from", "valid_to"))
    return first, last


def _holds(periods: Iterable[tuple[int, int]], at_ms: int) -> bool:
    day = local_day(at_ms)
    return any(first <= day <= last for first, last in periods)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)

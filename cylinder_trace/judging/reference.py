"""Who was who, and what was lawful, at a given moment: sites, owners, licences, agreements and the law tables."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging.scan import HOUR_MS, MINUTE_MS, local_day, overruled
from cylinder_trace.law.tables import Law, NoLawForThat, life_end


@dataclass(frozen=True, slots=True)
class LicencePeriod:
    """A licence as it was granted: in force from `from_ms` through `until_day`, for `media`."""

    from_ms: int
    until_day: int
    media: frozenset[str]
    event_id: str


class FillCheckTerms(NamedTuple):
    """How long before a fill its check may lie and how long after it, and by how much two clocks may differ; in ms."""

    before_ms: int
    before_tolerance_ms: int
    after_ms: int
    after_tolerance_ms: int


@dataclass
class Reference:
    """Everything about the parties that a rule may ask. Histories are looked up as of the event's time."""

    law: Law
    sites: dict[str, SiteRecord] = field(default_factory=dict)
    owners: dict[str, OwnerRecord] = field(default_factory=dict)
    licences: dict[str, list[LicencePeriod]] = field(default_factory=lambda: defaultdict(list))
    agreements: dict[tuple[str, str], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    stations: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    _numbers: dict[tuple[str, int], float] = field(default_factory=dict)
    _check_terms: dict[int, FillCheckTerms] = field(default_factory=dict)
    _allowed_g: dict[tuple[str | None, float | None, int], int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, law: Law, records: Iterable[Any], messages: Iterable[Mapping[str, Any]]) -> "Reference":
        """Build from master records and from the JSON of licence, agreement and correct events, in any order."""
        reference = cls(law)
        for record in records:
            reference.add_record(record)
        messages = list(messages)
        void = overruled(
            {message["event_id"]: message["corrects"] for message in messages if message["kind"] == "correct"}
        )
        for message in messages:
            if message["event_id"] not in void:
                reference._add_act(message)
        for periods in reference.licences.values():
            periods.sort(key=lambda period: (period.from_ms, period.until_day))
        return reference

    def add_record(self, record: Any) -> None:
        """Take in a site or an owner; a later record of the same id replaces the earlier one.

        A district that was abolished is the one that answers for it today, so that a merger moves nobody out of area.
        """
        if isinstance(record, SiteRecord):
            record = record.model_copy(update={"district": self._district(record.district)})
            self.sites[record.site_id] = record
            self.stations.discard(record.site_id)
            self.customers.discard(record.site_id)
            if record.type == "filling_station":
                self.stations.add(record.site_id)
            elif record.type == "customer":
                self.customers.add(record.site_id)
        elif isinstance(record, OwnerRecord):
            districts = tuple(self._district(one) for one in record.districts)
            self.owners[record.owner_id] = record.model_copy(update={"districts": districts})

    def _district(self, adcode: str) -> str:
        try:
            return self.law.district(adcode).adcode
        except NoLawForThat:
            return adcode

    def _add_act(self, message: Mapping[str, Any]) -> None:
        if message["kind"] == "licence":
            period = LicencePeriod(
                epoch_ms(datetime.fromisoformat(message["occurred_at"])),
                date.fromisoformat(message["valid_until"]).toordinal(),
                frozenset(message["media"]),
                message["event_id"],
            )
            self.licences[message["licensed_site_id"]].append(period)
        elif message["kind"] == "agreement":
            days = (
                date.fromisoformat(message["valid_from"]).toordinal(),
                date.fromisoformat(message["valid_to"]).toordinal(),
            )
            self.agreements[message["owner_id"], message["station_id"]].append(days)

    def owner_of_site(self, site: str | None) -> str | None:
        """The firm that runs a site; None where the site or its firm is not in the register."""
        record = self.sites.get(site) if site else None
        return record.owner_id if record else None

    def site_name(self, site: str | None) -> str | None:
        """What people call a site; its id where it is not in the register, None for no site."""
        record = self.sites.get(site) if site else None
        return record.name if record else site

    def has_agreement(self, owner: str, station: str, at_ms: int) -> bool:
        """Whether `station` was allowed to fill `owner`'s cylinders on that day."""
        day = local_day(at_ms)
        return any(start <= day <= end for start, end in self.agreements.get((owner, station), ()))

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

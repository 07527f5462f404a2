"""The draw of stations and inspectors (双随机): a lottery that anybody can repeat with SHA-256 and whole numbers.

How it goes, in full, so that it can be done without this program:

1. A lot: `lot(seed, name, total)` is SHA-256 of the UTF-8 text `seed|name`, read as a whole number (big-endian),
   times `total`, divided by 2 to the 256th, rounded down: a number from 0 to total - 1.
2. Stations that are always visited come first, in the order of their ids.
3. The others have as many tickets as their weight says. They stand in the order of their ids, tickets numbered
   from 0 through all of them. Lot `station|1` draws a ticket; its station is out of the pot, the tickets are numbered
   anew, lot `station|2` draws the next, and so on.
4. For each station in that order: inspectors who are not excluded from it, are not chosen for it yet, and of
   those only the ones with the fewest stations so far, in the order of their ids, have a ticket each. Lot
   `inspector|<station>|1` draws the first, `inspector|<station>|2` the second, and so on.

Ids are ordered by their UTF-8 bytes. Nothing here depends on a random generator of any language.
Source: DOMAIN section 4 (双随机、一公开; post-licence checks of self-declared renewals 100 %).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALGORITHM = "cylinder-trace-lots-1"
MOST_WEIGHT = 1_000_000
_FIELDS = ("district", "purpose", "number", "inspectors_each", "stations", "inspectors", "exclusions")


class UnusableBallot(ValueError):
    """What is to be drawn from can not be; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A station in the pot with `weight` tickets; one that is `always` visited needs no luck.

    `points` say what the weight is made of, and change nothing in the draw.
    """

    id: str
    weight: int
    always: bool = False
    points: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An inspector who is linked to a station and does not inspect it."""

    inspector: str
    station: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """All that a draw depends on but its seed. `number` stations are drawn beside those that are always visited."""

    district: str
    purpose: str
    number: int
    inspectors_each: int
    stations: tuple[Candidate, ...]
    inspectors: tuple[str, ...]
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        """Raises UnusableBallot."""
        for what, ids in (
            ("stations", [one.id for one in self.stations]),
            ("inspectors", list(self.inspectors)),
        ):
            if len(set(ids)) != len(ids):
                raise UnusableBallot(f"{what}: an id is there twice")
        if any(not 1 <= one.weight <= MOST_WEIGHT for one in self.stations):
            raise UnusableBallot(f"stations: give each a weight from 1 to {MOST_WEIGHT:,}")
        luck = sum(not one.always for one in self.stations)
        if not 0 <= self.number <= luck:
            raise UnusableBallot(f"number: {self.number} of {luck} stations can not be drawn")
        if not 0 <= self.inspectors_each <= len(self.inspectors):
            raise UnusableBallot(
                f"inspectors_each: {self.inspectors_each} of {len(self.inspectors)} inspectors"
            )
        for station in self.stations:
            if len(self.may_inspect(station.id)) < self.inspectors_each:
                raise UnusableBallot(
                    f"station {station.id}: fewer than {self.inspectors_each} inspectors are not excluded from it"
                )

    def may_inspect(self, station: str) -> list[str]:
        """The inspectors who are not excluded from a station, in order."""
        barred = {one.inspector for one in self.exclusions if one.station == station}
        return sorted((one for one in self.inspectors if one not in barred), key=_order)

    def as_json(self) -> dict[str, Any]:
        """The ballot as it is published."""
        return {
            "district": self.district,
            "purpose": self.purpose,
            "number": self.number,
            "inspectors_each": self.inspectors_each,
            "stations": [
                {"id": one.id, "weight": one.weight, "always": one.always, "points": dict(one.points)}
                for one in sorted(self.stations, key=lambda one: _order(one.id))
            ],
            "inspectors": sorted(self.inspectors, key=_order),
            "exclusions": [
                {"inspector": one.inspector, "station": one.station}
                for one in sorted(
                    self.exclusions, key=lambda one: (_order(one.inspector), _order(one.station))
                )
            ],
        }

    @property
    def text(self) -> str:
        """The ballot as one line of JSON: keys in order, no spaces. Its SHA-256 is what is published in advance."""
        return json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """SHA-256 of `text`, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A station that is to be visited and by whom; `by_lot` False where it is always visited."""

    station: str
    inspectors: tuple[str, ...]
    by_lot: bool

    def as_json(self) -> dict[str, Any]:
        """As it is published."""
        return {"station": self.station, "inspectors": list(self.inspectors), "by_lot": self.by_lot}


def ballot_of(message: Mapping[str, Any]) -> Ballot:
    """Read a published ballot. Raises UnusableBallot."""
    strange = [name for name in _FIELDS if name not in message] + sorted(set(message) - set(_FIELDS))
    if strange:
        raise UnusableBallot(
            f"{', '.join(strange)}: a ballot has the fields {', '.join(_FIELDS)} and no others"
        )
    try:
        return Ballot(
            district=str(message["district"]),
            purpose=str(message["purpose"]),
            number=_whole(message["number"]),
            inspectors_each=_whole(message["inspectors_each"]),
            stations=tuple(
                Candidate(
                    str(one["id"]),
                    _whole(one["weight"]),
                    one.get("always", False) is True,
                    tuple((str(what), _whole(number)) for what, number in one.get("points", {}).items()),
                )
                for one in message["stations"]
            ),
            inspectors=tuple(map(str, message["inspectors"])),
            exclusions=tuple(
                Exclusion(str(one["inspector"]), str(one["station"])) for one in message["exclusions"]
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnusableBallot(f"stations, inspectors or exclusions are not as published: {error}") from None


def seed_of(public_value: str) -> str:
    """The seed that a public value makes: its SHA-256 in hexadecimal, without spaces at its ends."""
    return hashlib.sha256(public_value.strip().encode()).hexdigest()


def lot(seed: str, name: str, total: int) -> int:
    """A number from 0 to total - 1."""
    drawn = int.from_bytes(hashlib.sha256(f"{seed}|{name}".encode()).digest(), "big")
    return drawn * total >> 256


def draw(ballot: Ballot, seed: str) -> list[Drawn]:
    """Which stations are visited, in the order in which they were drawn, and by whom."""
    always = sorted((one.id for one in ballot.stations if one.always), key=_order)
    by_lot = _stations(ballot, seed)
    busy: Counter[str] = Counter()
    drawn = []
    for station in (*always, *by_lot):
        chosen = _inspectors(ballot, seed, station, busy)
        busy.update(chosen)
        drawn.append(Drawn(station, tuple(chosen), by_lot=station in by_lot))
    return drawn


def _stations(ballot: Ballot, seed: str) -> list[str]:
    pot = sorted((one for one in ballot.stations if not one.always), key=lambda one: _order(one.id))
    drawn = []
    for number in range(1, ballot.number + 1):
        ticket = lot(seed, f"station|{number}", sum(one.weight for one in pot))
        place = 0
        while ticket >= pot[place].weight:
            ticket -= pot[place].weight
            place += 1
        drawn.append(pot.pop(place).id)
    return drawn


def _inspectors(ballot: Ballot, seed: str, station: str, busy: Mapping[str, int]) -> Sequence[str]:
    free = ballot.may_inspect(station)
    chosen: list[str] = []
    for number in range(1, ballot.inspectors_each + 1):
        pot = _least_busy(free, busy)
        chosen.append(pot[lot(seed, f"inspector|{station}|{number}", len(pot))])
        free.remove(chosen[-1])
    return chosen


def _least_busy(inspectors: Iterable[str], busy: Mapping[str, int]) -> list[str]:
    free = list(inspectors)
    least = min(busy.get(one, 0) for one in free)
    return [one for one in free if busy.get(one, 0) == least]


def _order(text: str) -> bytes:
    return text.encode()


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise UnusableBallot(f"{number!r} is not a whole number")
    return number

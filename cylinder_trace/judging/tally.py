"""One day of one site in numbers: all that the rules over several days need of it, small enough to be kept for ever."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

Range = tuple[int, int]
"""Numbers that were all heard, both ends inclusive."""

Dated = tuple[int, str]
"""When an event happened, and its id."""


def ranges(numbers: Iterable[int]) -> list[Range]:
    """Numbers in any order, some perhaps twice, as the ranges they fill."""
    found: list[Range] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


@dataclass(slots=True)
class DeviceDay:
    """What a device did at the site that day.

    `heard` are its own numbers of its scans, `first_received_ms` the first receipt of any. `late_received_ms` is a
    moment at or after which enough for an alert of its scans came far too late, None where not so many did, and
    `late` are their ids; `proved` says whether it had sent later scans of that very day before them. `overnight` are
    scans that were received on a later day, by runs of its numbers: the first of them, the last receipt, the first's id.
    """

    heard: list[Range]
    last: str
    first_received_ms: int | None = None
    late_received_ms: int | None = None
    late: list[str] = field(default_factory=list)
    proved: bool = False
    overnight: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Counters of one day. Lists of ids hold the first few; `masses` is by size of bottle: how many fills, the sum
    of their grams, and of the squares; `guns` are the guns' own counts at the fills that were scanned."""

    first: str
    first_ms: int
    scanned: int = 0
    keyed: int = 0
    first_keyed: str = ""
    fills: int = 0
    first_fill: str = ""
    delivers: int = 0
    first_deliver: str = ""
    movements: int = 0
    inspected: int = 0
    failed: int = 0
    first_inspect: str = ""
    double_fills: int = 0
    jumps_in: int = 0
    jumps_out: int = 0
    gone: list[str] = field(default_factory=list)
    come: list[str] = field(default_factory=list)
    before_opening: list[Dated] = field(default_factory=list)
    after_closing: list[Dated] = field(default_factory=list)
    masses: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    guns: dict[str, list[Range]] = field(default_factory=dict)
    devices: dict[str, DeviceDay] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)

    def saved(self) -> str:
        """The tally as one line of JSON without what is empty; `restored` reads it back."""
        said = {name: value for name in _FIELDS if (value := getattr(self, name))}
        if self.devices:
            said["devices"] = {
                one: [getattr(its, name) for name in _OF_DEVICE] for one, its in sorted(self.devices.items())
            }
        return json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False)

    @classmethod
    def restored(cls, text: str) -> "Tally":
        """The tally that `saved` wrote."""
        said: dict[str, Any] = {"first": "", "first_ms": 0, **orjson.loads(text)}
        if "devices" in said:
            said["devices"] = {one: DeviceDay(*its) for one, its in said["devices"].items()}
        return cls(**said)


_FIELDS = tuple(Tally.__dataclass_fields__)
_OF_DEVICE = tuple(DeviceDay.__dataclass_fields__)

"""One day of one site in numbers: all that the rules over several days need of it, small enough to be kept for ever."""

from collections.abc import Iterable

import msgspec

Range = tuple[int, int]
"""Numbers that were all heard, both ends inclusive."""

Dated = tuple[int, str]
"""When an event happened, and its id."""


def ranges(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Numbers in any order, some perhaps twice, as the ranges they fill."""
    found: list[Range] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return tuple(found)


# Thousands are in memory at once, and none is part of a cycle that the garbage collector would have to look for.
class DeviceDay(msgspec.Struct, gc=False, array_like=True):
    """What a device did at the site that day.

    `heard` are its own numbers of its scans, `first_received_ms` the first receipt of any. `late_received_ms` is a
    moment at or after which enough for an alert of its scans came far too late, None where not so many did, and
    `late` are their ids; `proved` says whether it had sent later scans of that very day before them. `overnight` are
    scans that were received on a later day, by runs of its numbers: the first of them, the last receipt, the first's id.
    """

    heard: tuple[Range, ...]
    last: str
    first_received_ms: int | None = None
    late_received_ms: int | None = None
    late: tuple[str, ...] = ()
    proved: bool = False
    overnight: tuple[tuple[int, int, str], ...] = ()


class Tally(msgspec.Struct, gc=False, omit_defaults=True):
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
    taken_in: int = 0
    sent_out: int = 0
    checks: int = 0
    failed_checks: int = 0
    post_checks: int = 0
    failed_post_checks: int = 0
    inspected: int = 0
    failed: int = 0
    first_inspect: str = ""
    double_fills: int = 0
    jumps_in: int = 0
    jumps_out: int = 0
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    before_opening: tuple[Dated, ...] = ()
    after_closing: tuple[Dated, ...] = ()
    masses: dict[str, tuple[int, int, int]] = {}
    guns: dict[str, tuple[Range, ...]] = {}
    devices: dict[str, DeviceDay] = {}
    people: tuple[str, ...] = ()

    def saved(self) -> str:
        """The tally as one line of JSON without what is empty; `restored` reads it back."""
        return _WRITER.encode(self).decode()

    @classmethod
    def restored(cls, text: str) -> "Tally":
        """The tally that `saved` wrote."""
        return _READER.decode(text)


_WRITER = msgspec.json.Encoder(order="deterministic")
_READER = msgspec.json.Decoder(Tally)

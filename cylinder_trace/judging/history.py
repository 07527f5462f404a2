"""What was on the register about a party as time went on: records, each from the day it holds."""

from bisect import bisect_left, bisect_right
from typing import Generic, TypeVar

from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.judging.scan import day_start_ms

Record = TypeVar("Record", SiteRecord, OwnerRecord, PersonRecord)
_ALWAYS_MS = -(2**62)


class History(Generic[Record]):
    """What was on the register about one site, owner or person, record after record by the day each holds from."""

    __slots__ = ("_from_ms", "_records")

    def __init__(self) -> None:
        self._from_ms: list[int] = []
        self._records: list[Record] = []

    def add(self, record: Record) -> None:
        """Take in a record; one that holds from the same day replaces the earlier one."""
        from_ms = _ALWAYS_MS if record.valid_from is None else day_start_ms(record.valid_from.toordinal())
        place = bisect_left(self._from_ms, from_ms)
        if self._from_ms[place : place + 1] == [from_ms]:
            self._records[place] = record
        else:
            self._from_ms.insert(place, from_ms)
            self._records.insert(place, record)

    def at(self, at_ms: int) -> Record:
        """The record that held at a moment; before the first of them, the first."""
        records = self._records
        return records[0] if len(records) == 1 else records[max(0, bisect_right(self._from_ms, at_ms) - 1)]

    @property
    def since_ms(self) -> int | None:
        """When the first record began to hold; None where it always did."""
        first_ms = self._from_ms[0]
        return None if first_ms == _ALWAYS_MS else first_ms

    @property
    def latest(self) -> Record:
        """The record that holds from the latest day."""
        return self._records[-1]

    @property
    def only(self) -> Record | None:
        """The record, where it has always been that one; None where there are several."""
        return self._records[0] if len(self._records) == 1 else None

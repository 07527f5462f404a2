"""What is asked of the simulator and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FEWEST_DAYS = 7
"""A fault needs a visit to a station and the way there and back."""

LARGEST_DRIFT_S = 600
"""Hand-overs between two places lie at least 20 minutes apart, so that drift never turns their order."""


@dataclass(frozen=True)
class Plan:
    """A city to be simulated; `end` is its last moment, and no event happens or arrives after it.

    `cylinders` counts the honest ones; cylinders with planted faults and look-alikes come on top.
    With `faults_of_each_kind` 0 the city is honest and has no labels.
    """

    seed: int
    end: datetime
    cylinders: int = 2000
    days: int = 60
    missed_scan_share: float = 0.02
    late_upload_share: float = 0.02
    doubled_upload_share: float = 0.005
    clock_drift_s: float = 60
    faults_of_each_kind: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError naming the field that can not be simulated."""
        if self.end.tzinfo is None:
            raise ValueError("end has no time zone; give an aware datetime")
        if self.days < FEWEST_DAYS:
            raise ValueError(f"days is {self.days}; a city needs at least {FEWEST_DAYS}")
        if self.cylinders < 1:
            raise ValueError(f"cylinders is {self.cylinders}; a city needs at least 1")
        if self.faults_of_each_kind < 0:
            raise ValueError(f"faults_of_each_kind is {self.faults_of_each_kind}; give 0 or more")
        for name in ("missed_scan_share", "late_upload_share", "doubled_upload_share"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise ValueError(f"{name} is {getattr(self, name)}; give a share from 0 to 0.5")
        if not 0 <= self.clock_drift_s <= LARGEST_DRIFT_S:
            raise ValueError(f"clock_drift_s is {self.clock_drift_s}; give 0 to {LARGEST_DRIFT_S}")

    @property
    def start_ms(self) -> int:
        """The first moment of the window; registrations and licences lie before it."""
        return epoch_ms(self.end - timedelta(days=self.days))

    @property
    def end_ms(self) -> int:
        """The last moment of the city."""
        return epoch_ms(self.end)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A contract event and the moment the server received it."""

    received_at: datetime
    event: Any


@dataclass(frozen=True, slots=True)
class Label:
    """What was planted: `kind` is the name of a rule, `subject` a canonical cylinder code, a site or an owner.

    `fault` False marks a lawful look-alike: no finding of the rule may rest on its events.
    """

    kind: str
    subject: str
    event_ids: tuple[UUID, ...]
    fault: bool
    note: str


@dataclass(frozen=True, slots=True)
class Missed:
    """A scan of an honest cylinder that nobody made, or that was lost with its device: what innocent alarms come from."""

    cylinder_code: str
    kind: str
    site_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class City:
    """A simulated city. `arrivals` are sorted by `received_at`, then by event id; what was sent twice is there twice.

    They may be built as they are looked at, so that a large city fits in memory: go through them once where you can.
    """

    plan: Plan
    records: tuple[SiteRecord | OwnerRecord | PersonRecord, ...]
    arrivals: Sequence[Arrival]
    labels: tuple[Label, ...]
    missed: tuple[Missed, ...] = ()

"""Cylinders with a register entry that fits the law tables: made, inspected and valid as they should be."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from cylinder_trace.law.tables import Law, life_end
from cylinder_trace.simulator.calendar import local_date, months_later
from cylinder_trace.simulator.plan import DAY_MS
from cylinder_trace.simulator.world import Firm, World, code_of

_LPG_MODELS = {"YSP35.5": (16.5, 0.60), "YSP12": (7.0, 0.25), "YSP118": (46.0, 0.15)}
"""Empty mass in kg, and share of the stock."""

_LIFE_TO_SPARE = timedelta(days=90)
_EXTENDED_SHARE = 0.05


@dataclass(slots=True)
class Bottle:
    """One cylinder as its firm knows it; `valid_until` moves with inspections."""

    code: str
    firm: Firm
    medium: str
    model: str | None
    volume_l: float
    tare_kg: float
    valid_until: date
    life_ends: date
    interval_months: int
    allowed_kg: float | None
    entry: dict[str, Any]
    registered_ms: int

    def inspected(self, on: date) -> date:
        """The last day of the term that an inspection passed on that day gives."""
        self.valid_until = min(months_later(on, self.interval_months), self.life_ends)
        return self.valid_until


def made(world: World, firm: Firm, rng: Random, medium: str | None = None, code: str | None = None) -> Bottle:
    """A cylinder of a firm's usual stock, not yet entered; its life lasts beyond the city's end."""
    if code is None:
        firm.serial += 1
        code = code_of(firm, firm.serial)
    plan, law = world.plan, world.law
    registered_ms = plan.start_ms - int(rng.uniform(15, 60) * DAY_MS)
    on = local_date(registered_ms)
    medium = medium or ("lpg" if firm.is_lpg else rng.choices(("o2", "n2", "ar"), (55, 25, 20))[0])
    kind = "lpg_bottle" if firm.is_lpg else "seamless_steel"
    interval = int(law.inspection_interval(kind, medium, on).amount)
    last_day = local_date(plan.end_ms) + _LIFE_TO_SPARE
    extension = None
    while True:
        extended = firm.is_lpg and rng.random() < _EXTENDED_SHARE
        years = rng.uniform(8.3, 11.3) if extended else rng.uniform(0.3, 7.6 if firm.is_lpg else 25)
        manufactured = on - timedelta(days=int(years * 365.25))
        life = law.service_life(kind, medium, manufactured, on)
        end = life_end(manufactured, life.years)
        if extended:
            extension = end = life_end(manufactured, life.years + (life.max_extension_years or 0))
        if end > last_day:
            break
        extension = None
    last = _last_inspection(manufactured, interval, on, rng)
    bottle = Bottle(code, firm, medium, None, 40.0, 48.0, date.min, end, interval, None, {}, registered_ms)
    bottle.inspected(last or manufactured)
    if firm.is_lpg:
        _as_lpg(bottle, law, on, rng)
    bottle.entry = {
        "codes": ({"kind": "stamp", "code": f"{firm.unit}-{manufactured:%y%m}-{code[-6:]}"},),
        "cylinder_class": kind,
        "model": bottle.model or "WMA219-40-15",
        "medium": medium,
        "volume_l": bottle.volume_l,
        "tare_kg": bottle.tare_kg,
        "working_pressure_mpa": 2.1 if firm.is_lpg else 15.0,
        "test_pressure_mpa": 3.2 if firm.is_lpg else 22.5,
        "standard": "GB/T 5842" if firm.is_lpg else "GB/T 5099",
        "design_life_years": life.years,
        "owner_id": firm.owner_id,
        "manufactured": manufactured,
        "last_inspection": last,
        "extension_until": extension,
        "valid_until": bottle.valid_until,
    }
    return bottle


def enter(
    world: World, bottle: Bottle, at_ms: int | None = None, received_ms: int | None = None, **changed: Any
) -> UUID:
    """Enter the cylinder in the register, before the window unless told otherwise; the event id."""
    if "valid_until" in changed:
        bottle.valid_until = changed["valid_until"]
    bottle.entry |= changed
    at_ms = bottle.registered_ms if at_ms is None else at_ms
    return world.act(at_ms, "register", received_ms, cylinder_code=bottle.code, cylinder=bottle.entry)


def _last_inspection(manufactured: date, interval: int, on: date, rng: Random) -> date | None:
    """Each term used up but for some days; None for a cylinder still in its first."""
    terms = 0
    while months_later(manufactured, interval * (terms + 1)) <= on:
        terms += 1
    if not terms:
        return None
    return months_later(manufactured, interval * terms) - timedelta(days=rng.randint(0, 25))


def _as_lpg(bottle: Bottle, law: Law, on: date, rng: Random) -> None:
    model = rng.choices(list(_LPG_MODELS), [share for _, share in _LPG_MODELS.values()])[0]
    bottle.model, bottle.volume_l = model, float(model.removeprefix("YSP"))
    bottle.tare_kg = round(_LPG_MODELS[model][0] + rng.uniform(-0.3, 0.3), 1)
    allowed = law.allowed_gas_mass_kg(model, bottle.volume_l, on)
    bottle.allowed_kg = allowed.value_kg if allowed else None

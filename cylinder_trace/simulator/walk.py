"""One cylinder's way through the city, step by step.

Where a step is scanned: check, fill and check at the gun's own terminal, or the checks with a handheld; ship and
receive with the gate handheld of the site; deliver and return with a courier's device, whose `site_id` is the door
it belongs to (the depot, or the station of an industrial firm), the customer being the other end.

A movement scan may be missed, one by one or, when a handheld is out of order, all of some hours. Scans at the gun
are not forgotten, for the gun does not open without them; but a cylinder whose label nobody can read passes a whole
station on paper, until it has a new label.
"""

from datetime import date
from random import Random
from typing import Any, Literal
from uuid import UUID

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.bottles import Bottle
from cylinder_trace.simulator.calendar import (
    departure,
    local_date,
    local_moment,
    months_later,
    round_of_courier,
)
from cylinder_trace.simulator.places import kilometres
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Missed
from cylinder_trace.simulator.uploads import Act
from cylinder_trace.simulator.world import BROKEN_SHARE, Place, Segment, World, code_of

_SCALE_ERROR_KG = 0.06
_LOST_AFTER_SCAN = 0.1
"""Of the missed scans, those that were made and then lost with their device: they leave a gap in its count."""

_GUNS_A_CHECKER, _A_CHECK_S = 4, 9
"""One goes from gun to gun and looks at each cylinder before it is filled; a station with more guns has more of them."""

_LEAVES_STATION_H = (9.5, 13.0, 16.0)
_LEAVES_ELSEWHERE_H = (7.5, 10.5, 14.0, 17.0)
_STAY_DAYS: dict[tuple[bool, Segment], tuple[float, float]] = {
    (True, "household"): (18, 60),
    (True, "restaurant"): (4, 16),
    (True, "industrial"): (4, 14),
    (False, "industrial"): (8, 30),
}


class Walk:
    """A cylinder on its way. Every step moves `now_ms` on and gives the event's id back.

    `place` is where it is, None while it is at `customer`; `door` is where it was last delivered from.
    A `faithful` walk has no missed scans, so that what is planted on it stands alone. One that is `kept` stays with its
    customer until the city's end.
    """

    def __init__(
        self, world: World, bottle: Bottle, rng: Random, now_ms: int, faithful: bool = False
    ) -> None:
        self.world, self.bottle, self.rng, self.now_ms = world, bottle, rng, now_ms
        self.faithful = faithful
        self.kept = False
        self.door: Place = rng.choice(bottle.firm.doors)
        self.station: Place = rng.choice(bottle.firm.stations)
        self.place: Place | None = None
        self.customer: SiteRecord = self.some_customer()
        self.full = True
        self._gun, self._slot_ms = "", 0
        self._leaves_ms, self._papers = 0, {"from_site": "", "to_site": ""}
        self.unreadable = False

    def some_customer(self) -> SiteRecord:
        """A customer of the door who uses cylinders of this size and has room for one more."""
        for _ in range(20):
            customer = self._any_customer()
            if self.world.has_room(customer, self.now_ms, self.bottle.allowed_kg):
                break
        return customer

    def _any_customer(self) -> SiteRecord:
        kinds: tuple[Segment, ...] = ("household", "restaurant")
        weights = (70, 30)
        if self.bottle.model == "YSP12":
            weights = (95, 5)
        elif self.bottle.model == "YSP118":
            kinds, weights = ("restaurant", "industrial"), (60, 40)
        elif not self.bottle.firm.is_lpg:
            return self.rng.choice(self.door.customers["industrial"])
        return self.rng.choice(self.door.customers[self.rng.choices(kinds, weights)[0]])

    def stay(self) -> None:
        """Remain with the customer for as long as such customers take."""
        segment = self.customer.segment or "household"
        until_ms = self.now_ms + int(self.rng.uniform(*_STAY_DAYS[self.bottle.firm.is_lpg, segment]) * DAY_MS)
        self.now_ms = self.world.emptied(self.now_ms, until_ms, self.rng)

    def wait(self, least_h: float, most_h: float) -> None:
        """Let some hours pass."""
        self.now_ms += int(self.rng.uniform(least_h, most_h) * HOUR_MS)

    def collect(self, door: Place | None = None) -> UUID:
        """Return from the customer to a door, the one it came from unless told otherwise."""
        self.now_ms = round_of_courier(self.now_ms, self.rng)
        self.place = self.door = door or self.door
        self.full = False
        return self._by_courier("return", self.customer.site_id, self.door.site_id)

    def deliver(self, customer: SiteRecord | None = None, **said: Any) -> UUID:
        """Hand it to a customer of the place it is at; `said` is what else the courier enters."""
        self.door = self.at
        self.customer = customer or self.some_customer()
        self.now_ms = round_of_courier(self.now_ms, self.rng)
        self.place = None
        self.world.stocked(self.customer, self.now_ms, self.bottle.allowed_kg)
        checked = {"customer": self.customer.site_id, "real_name_verified": True, "safety_check": "pass"}
        return self._by_courier("deliver", self.door.site_id, self.customer.site_id, **checked, **said)

    @property
    def at(self) -> Place:
        """The place it is at. Raises ValueError while it is with a customer."""
        if self.place is None:
            raise ValueError(f"{self.bottle.code} is with a customer; collect it first")
        return self.place

    def haul(self, goal: Place) -> tuple[UUID, UUID]:
        """By lorry to another place: ship here, receive there."""
        return self.ship(goal), self.receive(goal)

    def ship(self, goal: Place, uploaded_ms: int | None = None) -> UUID:
        """Loaded and scanned at the gate, for another place; on the road from then on."""
        self._load(self.at, goal)
        return self._at_the_gate("ship", self.at, uploaded_ms)

    def redirect(self, goal: Place) -> UUID:
        """Scanned again a minute later, for another place under the same waybill."""
        self._papers = self._papers | {"to_site": goal.site_id}
        self.now_ms = min(self.now_ms + MINUTE_MS, self._leaves_ms)
        return self._at_the_gate("ship", self.at, None)

    def receive(self, goal: Place, uploaded_ms: int | None = None) -> UUID:
        """Unloaded at a place, not always the one the papers say."""
        # 25 km an hour in the city, then 20 minutes to an hour until it is unloaded.
        road_h = kilometres(self.at.where, goal.where) / 25
        self.now_ms = self._leaves_ms + int(road_h * HOUR_MS) + int(self.rng.uniform(20, 60) * MINUTE_MS)
        self._papers = self._papers | {"to_site": goal.site_id}
        self.place = goal
        return self._at_the_gate("receive", goal, uploaded_ms)

    def receive_from(self, origin: Place, goal: Place) -> UUID:
        """Unloaded at a place from another that never scanned it."""
        self._load(origin, goal)
        return self.receive(goal)

    def _load(self, origin: Place, goal: Place) -> None:
        hours = _LEAVES_STATION_H if origin.guns else _LEAVES_ELSEWHERE_H
        self._leaves_ms = departure(self.now_ms, hours)
        local = local_moment(self._leaves_ms)
        self._papers = {
            "from_site": origin.site_id,
            "to_site": goal.site_id,
            "waybill": f"WB-{origin.site_id}-{goal.site_id}-{local:%y%m%d%H%M}",
            "vehicle": f"沪D{sum(map(ord, origin.site_id + goal.site_id)) % 90_000 + 10_000}",
        }
        self.now_ms = self._leaves_ms - int(self.rng.uniform(1, 28) * MINUTE_MS)

    def _at_the_gate(self, kind: str, place: Place, uploaded_ms: int | None) -> UUID:
        site = place.site_id
        # What is uploaded late was scanned with the second handheld, which is off line.
        device = f"{site}-H1" if uploaded_ms is None else f"{site}-H2"
        return self._move(kind, device, f"{site}-W1", site, self._papers, uploaded_ms)

    def relabel(self, reason: str, code: str | None = None) -> UUID:
        """A new label, with the next number of the firm's block unless told; the old one is never scanned again."""
        firm, old = self.bottle.firm, self.bottle.code
        if code is None:
            firm.serial += 1
            code = code_of(firm, firm.serial)
        self.bottle.code, self.unreadable = code, False
        return self.world.act(
            self.now_ms, "tag_replace", cylinder_code=old, new_code=self.bottle.code, reason=reason
        )

    def count(self) -> UUID:
        """Seen by a stock count of the place it is at."""
        site = self.at.site_id
        return self.scan("observe", site, f"{site}-H1", f"{site}-W1")

    def check(self, result: Literal["pass", "fail"] = "pass", medium: str | None = None) -> UUID:
        """The check before filling, on the next free gun."""
        self._take_gun()
        more: dict[str, Any] = {"items_failed": ("瓶阀泄漏",)} if result == "fail" else {}
        residual = round(self.rng.uniform(0.05, 0.3), 2)
        return self._gun_scan("fill_check", "K1", 10, result=result, medium=medium or self.bottle.medium,
                              residual_pressure_mpa=residual, **more)  # fmt: skip

    def override(self, rule: str, reason: str) -> UUID:
        """The station's manager lets the fill go on against the verdict."""
        if self._slot_ms < self.now_ms - 3 * MINUTE_MS:
            self._take_gun()
        manager = f"{self.at.site_id}-W1"
        return self._gun_scan("override", "W1", 25, overrides=(rule,), reason=reason, approved_by=manager)

    def fill(self, medium: str | None = None, too_much_kg: float = 0.0, gun: str | None = None,
             device: str | None = None, person: str | None = None, tare_too_heavy_kg: float = 0.0) -> UUID:  # fmt: skip
        """The fill on the gun that was taken; `too_much_kg` goes beyond what the law allows.

        `tare_too_heavy_kg` is what the empty weight is said to be beyond the register's. `gun`, `device` and `person` (the
        end of the number in the staff register) stand in for the usual ones.
        """
        bottle, rng = self.bottle, self.rng
        if self._slot_ms < self.now_ms - 3 * MINUTE_MS:
            self._take_gun()
        amount: dict[str, Any]
        if bottle.allowed_kg is None:
            amount, seconds = {"pressure_mpa": round(rng.uniform(13.4, 14.8), 1)}, 120
        else:
            # The gun stops short of what is allowed; the scale's error may carry the reading a little beyond.
            aimed = bottle.allowed_kg * rng.uniform(0.97, 1.0)
            shown = min(aimed + rng.gauss(0, _SCALE_ERROR_KG), bottle.allowed_kg + 3 * _SCALE_ERROR_KG)
            gas = round(bottle.allowed_kg + too_much_kg if too_much_kg else shown, 2)
            said = round(bottle.tare_kg + tare_too_heavy_kg, 1)
            amount = {"tare_kg": said, "gross_kg": round(bottle.tare_kg + gas, 2)}
            if not self.at.by_hand:
                amount["gas_mass_kg"] = round(gas - tare_too_heavy_kg, 2)
            seconds = int(50 + 1.8 * gas)
        self.full = True
        start_ms = self._slot_ms + 50_000
        times = {"started_at": local_moment(start_ms), "ended_at": local_moment(start_ms + seconds * 1000)}
        filler = person or f"F{self._gun.rsplit('G', 1)[1]}"
        return self._gun_scan("fill", filler, 50, device, medium=medium or bottle.medium, gun_id=gun or self._gun,
                              batch=f"{self.at.site_id}-{local_moment(start_ms):%y%m%d}", **amount, **times)  # fmt: skip

    def post_check(self, result: Literal["pass", "fail"] = "pass") -> UUID:
        """The check after filling, in the same slot."""
        more: dict[str, Any] = {"items_failed": ("充装量不符",)} if result == "fail" else {}
        return self._gun_scan("post_check", "K1", 205, result=result, **more)

    def filled(self, medium: str | None = None) -> UUID:
        """Checked, filled and checked again, lawfully; the fill's id."""
        self.check(medium=medium)
        fill_id = self.fill(medium)
        self.post_check()
        return fill_id

    def inspect(self, received_ms: int | None = None, scrap: bool = False, months_too_long: int = 0) -> UUID:
        """The periodic inspection at the agency it is at; `months_too_long` goes beyond the term of the law."""
        self.wait(4, 30)
        self.now_ms = self.at.line(self.now_ms)
        agency = self.at.site_id
        if not scrap:
            self.bottle.inspected(self.today)
        if months_too_long:
            self.bottle.valid_until = months_later(self.today, self.bottle.interval_months + months_too_long)
        term: dict[str, Any] = {} if scrap else {"valid_until": self.bottle.valid_until}
        # A line that reports late is one whose device is off line: it has a device of its own.
        device = f"{agency}-L1" if received_ms is None else f"{agency}-L2"
        inspector = f"{agency}-{'K1' if self.at.guns else 'I1'}"
        return self.scan("inspect", agency, device, inspector, received_ms, result="scrap" if scrap else "pass",
                         inspector_id=inspector, reviewer_id=f"{agency}-I2",
                         agency_licence_no=f"TS7331-{agency}", **term)  # fmt: skip

    @property
    def today(self) -> date:
        """The local day."""
        return local_date(self.now_ms)

    def scan(self, kind: str, site: str, device: str, operator: str, received_ms: int | None = None,
             lost: bool = False, **fields: Any) -> UUID:  # fmt: skip
        """A scan now. `received_ms` is when it is uploaded, where not at once."""
        fields |= {"cylinder_code": self.bottle.code, "site_id": site, "operator_id": operator}
        log = self.world.log
        return log.add(Act(self.now_ms, kind, log.new_id(self.now_ms), device, fields, received_ms, lost))

    def _take_gun(self) -> None:
        self._gun, self._slot_ms = self.at.slot(self.now_ms)

    def _gun_scan(
        self, kind: str, person: str, after_s: int, device: str | None = None, **fields: Any
    ) -> UUID:
        number = self.at.guns.index(self._gun) if self._gun in self.at.guns else 0
        checker, turn = divmod(number, _GUNS_A_CHECKER)
        if kind == "fill_check":
            after_s += turn * _A_CHECK_S
        self.now_ms = self._slot_ms + after_s * 1000 + self.rng.randrange(10_000)
        site = self.at.site_id
        if self.unreadable:
            if kind == "fill":
                self.world.log.fill_unscanned(self._gun, self.now_ms)
            return self._missed(kind, site)
        by_hand = self.at.by_hand and kind.endswith("_check")
        usual = f"{site}-H3{checker or ''}" if by_hand else self._gun
        return self.scan(kind, site, device or usual, f"{site}-{person}", **fields)

    def _by_courier(self, kind: str, origin: str, goal: str, **fields: Any) -> UUID:
        door = self.door.site_id
        number = self.rng.randint(1, self.door.couriers)
        ends = {"from_site": origin, "to_site": goal, "lat": self.customer.lat, "lon": self.customer.lon}
        return self._move(kind, f"{door}-C{number}", f"{door}-D{number}", door, ends | fields)

    def _move(self, kind: str, device: str, operator: str, site: str, fields: dict[str, Any],
              uploaded_ms: int | None = None) -> UUID:  # fmt: skip
        forgotten = self.rng.random() < self.world.plan.missed_scan_share * (1 - BROKEN_SHARE)
        lost = forgotten and self.rng.random() < _LOST_AFTER_SCAN
        if self.faithful or not (forgotten or self.unreadable or self.world.is_broken(device, self.now_ms)):
            return self.scan(kind, site, device, operator, uploaded_ms, **fields)
        never_made = self._missed(kind, site)
        return self.scan(kind, site, device, operator, lost=True, **fields) if lost else never_made

    def _missed(self, kind: str, site: str) -> UUID:
        self.world.missed.append(Missed(self.bottle.code, kind, site, self.now_ms))
        return self.world.log.new_id(self.now_ms)

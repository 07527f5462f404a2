"""Officers, and how they look after an alert of the small world."""

from typing import Any

from sqlalchemy import select

from cylinder_trace import acting, following
from cylinder_trace.acting import Wish
from cylinder_trace.judging.handling.care import Act, Care
from cylinder_trace.store import handling, people
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.handling import Held, Looked
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import account, alert
from tests.world import MINHANG, SONGJIANG, STATION, World, ms

CITY = Person("city", "市局 王", "city", Scope("city", ""))
MINHANG_OFFICER = Person("minhang", "闵行 李", "officer", Scope("district", MINHANG))
OTHER_OFFICER = Person("minhang-2", "闵行 赵", "officer", Scope("district", MINHANG))
SONGJIANG_OFFICER = Person("songjiang", "松江 钱", "officer", Scope("district", SONGJIANG))
MANAGER = Person("manager", "站长 孙", "manager", Scope("station", STATION))
OPERATOR = Person("op-1", "充装工 周", "operator", Scope("station", STATION))
PEOPLE = (CITY, MINHANG_OFFICER, OTHER_OFFICER, SONGJIANG_OFFICER, MANAGER, OPERATOR)
A_HASH = "nobody signs in with it"


class Office:
    """Looks after the first alert of a rule; each act sees what stands, unless `seen` says otherwise."""

    def __init__(self, world: World, rule: str = "fill_overdue") -> None:
        self.world, self.rule, self.hours = world, rule, 1.0
        with world.database.writing() as connection:
            if people.person(connection, CITY.username) is None:
                for one in PEOPLE:
                    scope = {"scope": one.scope.kind, "scope_id": one.scope.id}
                    who = {"username": one.username, "name": one.name, "role": one.role}
                    connection.execute(account.insert().values(password_hash=A_HASH, **who, **scope))

    def row(self) -> dict[str, Any]:
        with self.world.database.reading() as connection:
            statement = select(alert).where(alert.c.rule == self.rule).order_by(alert.c.at_ms)
            return dict(connection.execute(statement).mappings().first() or {})

    def care(self) -> Care:
        row = self.row()
        with self.world.database.reading() as connection:
            return handling.cares(connection, {row["fingerprint"]: row["episode"]})[row["fingerprint"]]

    def log(self) -> list[dict[str, Any]]:
        with self.world.database.reading() as connection:
            return handling.log(connection, self.row()["fingerprint"])

    def seen(self) -> Looked:
        return Looked(self.row()["episode"], self.care().version)

    def act(
        self,
        did: Act,
        *,
        person: Person = MINHANG_OFFICER,
        hours: float | None = None,
        seen: Looked | None = None,
        **wish: Any,
    ) -> Held:
        now_ms = ms(self.hours if hours is None else hours)
        seen, fingerprint = seen or self.seen(), self.row()["fingerprint"]
        with self.world.database.writing() as connection:
            reference = self.world.cache.read(connection)
            return acting.act(connection, person, fingerprint, seen, Wish(did, **wish), reference, now_ms)

    def follow(self, hours: float) -> dict[str, int]:
        return following.run(self.world.database, self.world.cache, ms(hours))

"""When each group was last told of, and how many mails a rule has had today."""

from sqlalchemy import Connection, and_, func, select

from cylinder_trace.store.database import put
from cylinder_trace.store.notices import Due
from cylinder_trace.store.tables import told_group


def last_ms(connection: Connection, group: Due) -> int | None:
    """When people were last told of this group; None where they never were."""
    its = {name: told_group.c[name] == value for name, value in _key(group).items()}
    return connection.scalar(select(told_group.c.last_ms).where(*its.values()))


def note(connection: Connection, group: Due, now_ms: int, day: int) -> None:
    """People are told of this group now, on a local day."""
    its = and_(*(told_group.c[name] == value for name, value in _key(group).items()))
    today = connection.scalar(select(told_group.c.mails).where(its, told_group.c.day == day)) or 0
    put(connection, told_group, [_key(group) | {"last_ms": now_ms, "day": day, "mails": today + 1}])


def mails_on(connection: Connection, rule: str, day: int) -> int:
    """How often people were told of groups of a rule on a local day."""
    of_day = (told_group.c.rule == rule) & (told_group.c.day == day)
    return int(connection.scalar(select(func.coalesce(func.sum(told_group.c.mails), 0)).where(of_day)) or 0)


def _key(group: Due) -> dict[str, str]:
    return {"district": group.district or "", "rule": group.rule, "site_id": group.site_id or ""}

"""Who is to be told: addresses, each for a district or for everywhere, and what it wants to hear."""

from typing import Any

from sqlalchemy import Connection, delete, func, select

from cylinder_trace.judging.handling.routing import EVERYWHERE, HOURS, Recipient
from cylinder_trace.store.database import put as put_rows
from cylinder_trace.store.tables import recipient


class LastFallback(ValueError):
    """The city's last address for everything would be gone: what no district's team is named for would reach nobody."""


def put(connection: Connection, one: Recipient) -> None:
    """Name an address, or change what it wants. Raises ValueError for hours, a severity or a level that there are not.

    Raises LastFallback where the last fallback for everything would be narrowed.
    """
    if one.hours not in HOURS:
        raise ValueError(f"hours {one.hours!r} are none of {', '.join(HOURS)}")
    if not one.severities <= {1, 2, 3} or one.level not in {0, 1, 2}:
        raise ValueError("severities are 1, 2 and 3, and levels 0 (the team), 1 (its head) and 2 (the city)")
    _keep_a_fallback(connection, one.address, one.district, becomes=one)
    row: dict[str, Any] = {
        "address": one.address,
        "district": one.district,
        "name": one.name,
        "rules": ",".join(sorted(one.rules)),
        "severities": ",".join(map(str, sorted(one.severities))),
        "hours": one.hours,
        "level": one.level,
    }
    put_rows(connection, recipient, [row])


def remove(connection: Connection, address: str, district: str) -> bool:
    """Take an address off; gives whether it was there. Raises LastFallback."""
    _keep_a_fallback(connection, address, district, becomes=None)
    which = (recipient.c.address == address) & (recipient.c.district == district)
    return connection.execute(delete(recipient).where(which)).rowcount > 0


def everyone(connection: Connection) -> list[Recipient]:
    """All recipients, by district and address; those for everywhere first."""
    rows = connection.execute(select(recipient).order_by(recipient.c.district, recipient.c.address))
    return [
        Recipient(
            row.address,
            row.district,
            row.name,
            frozenset(row.rules.split(",")) - {""},
            frozenset(int(one) for one in row.severities.split(",") if one),
            row.hours,
            row.level,
        )
        for row in rows
    ]


def count(connection: Connection) -> int:
    """How many are named."""
    return connection.scalar(select(func.count()).select_from(recipient)) or 0


def is_fallback(one: Recipient) -> bool:
    """Whether it hears of everything that nobody nearer is named for."""
    return (
        one.district == EVERYWHERE and one.hours == "any" and not (one.rules or one.severities or one.level)
    )


def _keep_a_fallback(connection: Connection, address: str, district: str, becomes: Recipient | None) -> None:
    fallbacks = [one for one in everyone(connection) if is_fallback(one)]
    is_last = [(one.address, one.district) for one in fallbacks] == [(address, district)]
    if is_last and not (becomes and is_fallback(becomes)):
        raise LastFallback(
            f"{address} is the last address that hears of everything; name another for {EVERYWHERE} first"
        )

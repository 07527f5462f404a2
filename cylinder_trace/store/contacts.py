"""Mail addresses of stations and firms, for reminders and due lists."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import contact


def put(connection: Connection, party_id: str, address: str, name: str) -> None:
    """Name an address of a station or a firm."""
    row = {"party_id": party_id, "address": address, "name": name, "told_week": 0}
    add_missing(connection, contact, [row])


def of(connection: Connection, party_id: str) -> list[str]:
    """The addresses of a station or a firm."""
    statement = select(contact.c.address).where(contact.c.party_id == party_id)
    return list(connection.scalars(statement.order_by(contact.c.address)))


def everyone(connection: Connection) -> list[tuple[str, str, str]]:
    """Every station or firm with an address, the address, and whose it is."""
    statement = select(contact.c.party_id, contact.c.address, contact.c.name)
    rows = connection.execute(statement.order_by(contact.c.party_id, contact.c.address))
    return [(row.party_id, row.address, row.name) for row in rows]


def remove(connection: Connection, party_id: str, address: str) -> bool:
    """Take an address off; gives whether it was there."""
    which = (contact.c.party_id == party_id) & (contact.c.address == address)
    return connection.execute(delete(contact).where(which)).rowcount > 0


def to_tell(connection: Connection, week: int, limit: int) -> list[str]:
    """Stations and firms with an address whose due list of this week (its Monday) was not looked at yet."""
    statement = select(contact.c.party_id).where(contact.c.told_week < week).distinct()
    return list(connection.scalars(statement.order_by(contact.c.party_id).limit(limit)))


def told(connection: Connection, party_ids: Sequence[str], week: int) -> None:
    """These were looked at for this week."""
    connection.execute(update(contact).where(contact.c.party_id.in_(party_ids)).values(told_week=week))

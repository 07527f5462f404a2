"""Work that failed: put off, a little longer each time, so that one bad piece never stands in the way of the others."""

from sqlalchemy import Connection, Table, and_, func, select, update

from cylinder_trace.store.tables import pending, rejudge, touched_city_day, touched_day, touched_site

_FIRST_WAIT_MS = 60_000
_LONGEST_WAIT_MS = 3_600_000
_LONGEST_ERROR = 500


def put_off(
    connection: Connection, work: Table, key: str | int | tuple[str, int], now_ms: int, error: str
) -> None:
    """Try a piece of work again in a minute, then in two, up to once an hour."""
    parts = key if isinstance(key, tuple) else (key,)
    which = and_(*(column == part for column, part in zip(work.primary_key.columns, parts, strict=True)))
    attempts = connection.scalar(select(work.c.attempts).where(which)) or 0
    wait_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS * 2 ** min(attempts, 10))
    values = {"attempts": attempts + 1, "not_before_ms": now_ms + wait_ms, "error": error[:_LONGEST_ERROR]}
    connection.execute(update(work).where(which).values(**values))


def failed(connection: Connection) -> int:
    """How many pieces of work failed and wait to be tried again."""
    failures = [select(func.count()).select_from(work).where(work.c.attempts > 0) for work in _WORK]
    return sum(connection.scalar(statement) or 0 for statement in failures)


_WORK = (pending, rejudge, touched_day, touched_city_day, touched_site)

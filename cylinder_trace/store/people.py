"""Devices that may send and people who may sign in."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import put
from cylinder_trace.store.tables import account, device, device_nonce

ROLES = {"operator": "station", "manager": "station", "officer": "district", "city": "city"}
"""Roles and the kind of scope each has."""

_FORGETS_ONE_IN = 100
"""Signatures seen for each sweep of the nonces that nobody could use any more: every request waits for its own."""

_A_NONCE: dict[str, Any] = {name: bindparam(name) for name in ("device_id", "nonce", "seen_ms")}
_SPEND_SQLITE = (
    sqlite.insert(device_nonce).values(_A_NONCE).on_conflict_do_nothing().returning(device_nonce.c.seen_ms)
)
# Not waiting for the disk: a power cut forgets the nonces of half a second. What is shown again then changes nothing,
# as questions leave nothing behind and an event that came before is known.
_SPEND_POSTGRESQL = (
    postgresql.insert(device_nonce)
    .values(_A_NONCE)
    .on_conflict_do_nothing()
    .returning(func.set_config("synchronous_commit", "off", True))
)

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("a password nobody has")


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled device; `public_key` is 32 raw Ed25519 bytes. An office's device speaks for every site."""

    device_id: str
    site_id: str
    is_office: bool
    public_key: bytes
    enrolled_ms: int
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    username: str
    name: str
    role: str
    scope: Scope


_DEVICE = select(*(device.c[name] for name in Device.__slots__)).where(device.c.device_id == bindparam("one"))


class AlreadyThere(ValueError):
    """The name is taken."""


def enrol(
    connection: Connection, device_id: str, site_id: str, public_key: bytes, now_ms: int, *, is_office: bool
) -> None:
    """Let a device send. Raises AlreadyThere for a known device id: a lost key needs a new device id."""
    row = {
        "device_id": device_id,
        "site_id": site_id,
        "is_office": is_office,
        "public_key": public_key,
        "enrolled_ms": now_ms,
    }
    try:
        connection.execute(insert(device).values(**row))
    except IntegrityError:
        raise AlreadyThere(
            f"device {device_id} is enrolled already; choose another id or revoke it first"
        ) from None


def revoke(connection: Connection, device_id: str, now_ms: int) -> bool:
    """Refuse what a device signs from now on; gives whether there was such a device."""
    which = (device.c.device_id == device_id) & device.c.revoked_ms.is_(None)
    return connection.execute(update(device).where(which).values(revoked_ms=now_ms)).rowcount > 0


def find_device(connection: Connection, device_id: str) -> Device | None:
    """An enrolled device, revoked or not."""
    row = connection.execute(_DEVICE, {"one": device_id}).first()
    return Device(*row) if row else None


def spend_nonce(
    connection: Connection, device_id: str, nonce: str, now_ms: int, forget_before_ms: int
) -> bool:
    """Note a signature's nonce; gives False where it was used before, which is a replay."""
    if secrets.randbelow(_FORGETS_ONE_IN) == 0:
        connection.execute(delete(device_nonce).where(device_nonce.c.seen_ms < forget_before_ms))
    row = {"device_id": device_id, "nonce": nonce, "seen_ms": now_ms}
    spend = _SPEND_POSTGRESQL if connection.dialect.name == "postgresql" else _SPEND_SQLITE
    return connection.execute(spend, row).first() is not None


def put_account(
    connection: Connection, username: str, password: str, name: str, role: str, scope_id: str
) -> None:
    """Let somebody sign in, or change who they are. Raises ValueError for an unknown role."""
    if role not in ROLES:
        raise ValueError(f"{role} is no role; roles are {', '.join(ROLES)}")
    row = {
        "username": username,
        "password_hash": _HASHER.hash(password),
        "name": name,
        "role": role,
        "scope": ROLES[role],
        "scope_id": scope_id,
    }
    put(connection, account, [row])


def signed_in(connection: Connection, username: str, password: str) -> Person | None:
    """The person with this name and password; takes as long for a name that does not exist."""
    row = connection.execute(select(account).where(account.c.username == username)).first()
    try:
        _HASHER.verify(row.password_hash if row else _NOBODY, password)
    except Argon2Error:
        return None
    return person(connection, username) if row else None


def password_mark(connection: Connection, username: str) -> str | None:
    """A short digest that changes with an account's password; None where the account is gone."""
    known = connection.scalar(select(account.c.password_hash).where(account.c.username == username))
    return None if known is None else hashlib.sha256(known.encode()).hexdigest()[:16]


def person(connection: Connection, username: str) -> Person | None:
    """Somebody by name; None where the account is gone."""
    row = connection.execute(select(account).where(account.c.username == username)).first()
    return Person(row.username, row.name, row.role, Scope(row.scope, row.scope_id)) if row else None

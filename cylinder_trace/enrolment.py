"""Keys: a device's, whose private half leaves in the key file and stays nowhere; and the server's own, which signs."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from cylinder_trace.contract.signing import KeyFile
from cylinder_trace.settings import Settings
from cylinder_trace.store import parties, people


def enrol(
    connection: Connection,
    device_id: str,
    site_id: str,
    server_url: str,
    now_ms: int,
    *,
    is_office: bool = False,
    server_key: Ed25519PrivateKey | None = None,
) -> KeyFile:
    """Enrol a new device and give its key file, the only copy of the private key. Raises people.AlreadyThere.

    `server_key` is what the server signs with; without it the device can not tell whose snapshots it is given.
    """
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    people.enrol(connection, device_id, site_id, public, now_ms, is_office=is_office)
    parties.note_device(connection, device_id, now_ms)
    return KeyFile(
        server_url=server_url,
        device_id=device_id,
        site_id=site_id,
        private_key=_text(private.private_bytes_raw()),
        server_public_key=None if server_key is None else _text(server_key.public_key().public_bytes_raw()),
    )


def write_key(key: KeyFile, path: Path) -> None:
    """Write a key file that only its owner can read. Raises FileExistsError rather than replace another key."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(shown(key))


def shown(key: KeyFile) -> str:
    """A key file as it is written and printed."""
    return key.model_dump_json(indent=2, exclude_none=True)


def kept_server_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that the server signs with: as set, or made on first use beside the secret and readable by nobody else.

    Raises OSError where it can not be kept, and UnusableServerKey where what is set or kept is none.
    """
    said = settings.signing_key
    if not said:
        path = settings.secret_directory / ".cylinder-trace-signing-key"
        if not path.exists():
            # Whole before it has its name, so that two processes that start together end with one key.
            unnamed = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(_text(Ed25519PrivateKey.generate().private_bytes_raw()))
            with suppress(FileExistsError):
                path.hardlink_to(unnamed)
            unnamed.unlink()
        said = path.read_text()
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(said, validate=True))
    except ValueError:
        raise UnusableServerKey("the server's signing key is not 32 bytes in base64") from None


class UnusableServerKey(ValueError):
    """What is set or kept as the server's signing key is none."""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

"""Making a device's key: the public half is enrolled, the private half leaves in the key file and stays nowhere."""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from cylinder_trace.contract.signing import KeyFile
from cylinder_trace.store import people


def enrol(
    connection: Connection,
    device_id: str,
    site_id: str,
    server_url: str,
    now_ms: int,
    *,
    is_office: bool = False,
) -> KeyFile:
    """Enrol a new device and give its key file, the only copy of the private key. Raises people.AlreadyThere."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    people.enrol(connection, device_id, site_id, public, now_ms, is_office=is_office)
    text = base64.b64encode(private.private_bytes_raw()).decode()
    return KeyFile(server_url=server_url, device_id=device_id, site_id=site_id, private_key=text)


def write_key(key: KeyFile, path: Path) -> None:
    """Write a key file that only its owner can read. Raises FileExistsError rather than replace another key."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.model_dump_json(indent=2))

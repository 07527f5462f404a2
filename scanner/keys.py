"""The device's key file, which `cylinder-trace device add` printed once."""

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from cylinder_trace.contract.signing import KeyFile

_FOR_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP


class UnusableKey(Exception):
    """The key file can not be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """Who this device is and what it signs with. `server_url` has no slash at its end; `path` is the file it was read from.

    `server_key` is what the server signs with; None in a key file of before there were snapshots.
    """

    server_url: str
    device_id: str
    site_id: str
    private_key: Ed25519PrivateKey
    path: Path
    server_key: Ed25519PublicKey | None = None


def read_key(path: Path) -> DeviceKey:
    """The key in a file. Raises UnusableKey when it is missing, damaged, or open to other users."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        raise UnusableKey(
            f"the key file {path} can not be read ({error.strerror}); give the file that"
            " `cylinder-trace device add` printed"
        ) from None
    if os.name == "posix" and mode & _FOR_OTHERS:
        raise UnusableKey(
            f"the key file {path} is open to other users (mode {stat.S_IMODE(mode):04o}), who could sign in this"
            f" device's name; run: chmod 600 {path}"
        )
    try:
        written = KeyFile.model_validate_json(text)
        private_key = Ed25519PrivateKey.from_private_bytes(_raw(written.private_key))
        server_key = written.server_public_key and Ed25519PublicKey.from_public_bytes(
            _raw(written.server_public_key)
        )
    except ValidationError as error:
        fields = ", ".join(
            ".".join(map(str, problem["loc"])) or problem["msg"]
            for problem in error.errors(include_url=False)
        )
        raise UnusableKey(f"the key file {path} is damaged ({fields}); enrol the device again") from None
    except (binascii.Error, ValueError):
        raise UnusableKey(f"a key in {path} is not 32 bytes in base64; enrol the device again") from None
    return DeviceKey(
        written.server_url.rstrip("/"),
        written.device_id,
        written.site_id,
        private_key,
        path,
        server_key or None,
    )


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

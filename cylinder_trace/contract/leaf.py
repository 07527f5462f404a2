"""The bytes of an event that are hashed, and the hash.

Canonical bytes are RFC 8785 (JSON Canonicalization Scheme) of the event's JSON with null members left out,
narrowed so that any language writes the same: no number has more than six decimals or exceeds 2**53.
A leaf covers the event and the moment the server received it, hashed as RFC 6962 section 2.1 hashes leaves.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

_LEAF_PREFIX = b"\x00"
_NO_OFFSET = timedelta(0)


def canonical_bytes(message: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON with sorted members and no white space; equal messages give equal bytes, in any language.

    Raises ValueError for a number outside the narrowed range.
    """
    return _written(message).encode("utf-8")


def leaf_hash(message: Mapping[str, Any], received_at: datetime) -> bytes:
    """32 bytes: SHA-256 over 0x00 and the canonical bytes of `{"event": message, "received_at": ...}`.

    `received_at` is written in UTC to the millisecond. Raises ValueError where it has another offset or none.
    """
    return leaf_hash_of(canonical_bytes(message), received_at)


def leaf_hash_of(canonical: bytes, received_at: datetime) -> bytes:
    """The same for a message whose canonical bytes are made already."""
    if received_at.utcoffset() != _NO_OFFSET:
        raise ValueError(f"{received_at.isoformat()} is not in UTC; one moment must have one hash")
    received = received_at.isoformat(timespec="milliseconds").encode()
    return hashlib.sha256(b'%b{"event":%b,"received_at":"%b"}' % (_LEAF_PREFIX, canonical, received)).digest()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)  # as json.dumps would without its overhead of a writer each time
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise ValueError(
                f"{value} is beyond 2**53, where JSON numbers stop being exact; send it as a string"
            )
        return str(value)
    if isinstance(value, float | Decimal):
        return _written_decimal(float(value))
    if isinstance(value, Mapping):
        # RFC 8785 sorts by UTF-16 code units; member names here are ASCII, where that is the plain order.
        members = (
            f"{_written(key)}:{_written(value[key])}" for key in sorted(value) if value[key] is not None
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join("null" if item is None else _written(item) for item in value) + "]"
    raise ValueError(f"a {type(value).__name__} has no canonical JSON form")


def _written_decimal(number: float) -> str:
    if math.isnan(number) or abs(number) > 2**53:
        raise ValueError(f"{number} can not be written as a canonical JSON number")
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text

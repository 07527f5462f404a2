"""The name of an event: a UUIDv7, so that names sort in the order the device made them."""

import os
from uuid import UUID

_MOST_MS = 2**48 - 1


def event_id(now_ms: int) -> UUID:
    """A new UUIDv7 (RFC 9562, section 5.7) for the millisecond `now_ms`, with 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    moment = min(max(now_ms, 0), _MOST_MS)
    high, low = random >> 68, random & (2**62 - 1)
    return UUID(int=moment << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)

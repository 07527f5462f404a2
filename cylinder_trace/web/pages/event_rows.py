"""One event of the ledger with everything it says, in the reader's words: the evidence itself."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.law.naming import DISTRICTS, MEDIA, OWNERS, SITES, Naming
from cylinder_trace.store.ledger import Entry
from cylinder_trace.web.wording import WORDS, say

LATE_MS = 24 * 3_600_000
"""Received so long after it happened, a scan is shown as late."""

_SHOWN_ELSEWHERE = {"kind", "event_id", "occurred_at", "site_id", "corrects", "replaced_by"}
_NAMED_BY_ID = SITES | OWNERS
_MOMENTS = {"started_at", "ended_at"}
_ORDER = {key: place for place, key in enumerate(WORDS)}


def event_row(entry: Entry, naming: Naming, lang: str) -> dict[str, Any]:
    """An event as one row, with its `fields` as pairs of label and value."""
    which = 0 if lang == "zh" else 1
    message = entry.message
    return {
        "event_id": entry.event_id,
        "kind": say(f"kind.{entry.kind}", lang),
        "code": entry.code,
        "site": naming.site(entry.site_id)[which] if entry.site_id else say("office", lang),
        "occurred_at": moment_of(entry.occurred_ms),
        "received_at": moment_of(entry.received_ms),
        "late": is_late(entry),
        "gist": _gist(message, naming, lang),
        "fields": list(_fields(message, naming, lang)),
        "corrects": message.get("corrects"),
        "replaced_by": message.get("replaced_by"),
        "leaf_hash": entry.leaf_hash.hex(),
    }


def is_late(entry: Entry) -> bool:
    """Whether a device's scan reached the server long after it was made."""
    return entry.received_ms - entry.occurred_ms > LATE_MS and entry.device_id is not None


def _gist(message: dict[str, Any], naming: Naming, lang: str) -> str:
    """The one thing one wants to know of an event without opening it."""
    which = 0 if lang == "zh" else 1
    if "to_site" in message:
        ends = [naming.site(message.get(end))[which] for end in ("from_site", "to_site")]
        return " → ".join(ends)
    if "gas_mass_kg" in message:
        return f"{message['gas_mass_kg']} kg"
    if "gross_kg" in message and "tare_kg" in message:
        return f"{round(message['gross_kg'] - message['tare_kg'], 3)} kg"
    if "pressure_mpa" in message:
        return f"{message['pressure_mpa']} MPa"
    told = [
        _value(name, message[name], naming, lang)
        for name in ("result", "new_code", "reason")
        if name in message
    ]
    if "valid_until" in message:
        told.append(f"{say('field.valid_until', lang)} {message['valid_until']}")
    return " · ".join(told)


def _fields(message: dict[str, Any], naming: Naming, lang: str) -> Iterator[tuple[str, str]]:
    # In the order of the words, who before what: the ledger keeps fields by the alphabet.
    for name in sorted(message, key=_place):
        value = message[name]
        if name == "cylinder":
            yield from _fields(value, naming, lang)
        elif name not in _SHOWN_ELSEWHERE and value != []:
            yield say(f"field.{name}", lang), _value(name, value, naming, lang)


def _place(name: str) -> int:
    return _ORDER.get(f"field.{name}", len(_ORDER))


def _value(name: str, value: Any, naming: Naming, lang: str) -> str:
    which = 0 if lang == "zh" else 1
    if isinstance(value, bool):
        return say("yes" if value else "no", lang)
    if name == "codes":
        return "、".join(f"{say('code.' + alias['kind'], lang)} {alias['code']}" for alias in value)
    if isinstance(value, list):
        return "、".join(_value(name, one, naming, lang) for one in value)
    if not isinstance(value, str):
        return f"{value:,}" if name == "device_seq" else str(value)
    if name in _NAMED_BY_ID:
        called = naming.value(name, value)[which]
        return called if value in called else f"{called}（{value}）" if which == 0 else f"{called} ({value})"
    if name in MEDIA | DISTRICTS or name == "media":
        return (naming.medium(value) if name == "media" else naming.value(name, value))[which]
    if name == "cylinder_class":
        return naming.law.cylinder_class(value)[which]
    if name in _MOMENTS:
        local = datetime.fromisoformat(value).astimezone(SHANGHAI)
        return f"{local:%Y-%m-%d %H:%M:%S} {say('zone.short', lang)}"
    word = f"value.{value}"
    return (
        say(word, lang)
        if name in {"result", "safety_check", "reason", "granted_on"} and word in WORDS
        else value
    )

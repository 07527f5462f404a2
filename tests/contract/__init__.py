"""What stations and the server have agreed, held to the golden messages in fixtures/contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from cylinder_trace.contract.event import MalformedEvent, read_event

GOLDEN = Path(__file__).parents[2] / "fixtures" / "contract"

FURTHER_EVENTS = {"fill_by_pressure": "fill", "deliver_for_standby": "deliver", "licence_declared": "licence"}
"""Golden events beside the one each kind has, and their kind."""


def golden(name: str) -> dict[str, Any]:
    """The golden message of this name, decoded."""
    message: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return message


def changed(name: str, /, **changes: Any) -> dict[str, Any]:
    """The golden message with some fields changed."""
    return {**golden(name), **changes}


def problems(message: Any) -> str:
    """What is wrong with a message that is no event."""
    with pytest.raises(MalformedEvent) as caught:
        read_event(message)
    return "; ".join(caught.value.problems)

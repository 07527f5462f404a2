"""The kinds of event, held to their golden messages."""

import json
import math
from datetime import datetime, timedelta, timezone
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.contract.event import (
    KINDS,
    REFERENCE_KINDS,
    Event,
    MalformedEvent,
    read_event,
    written,
)
from cylinder_trace.contract.leaf import canonical_bytes
from tests.contract import FURTHER_EVENTS, changed, golden, problems

COMMON = {
    *("lat", "lon", "note", "photo_sha256", "clock_offset_ms"),
    *("site_id", "operator_id", "device_id", "device_seq", "entry"),
}
EARLIEST = datetime.fromisoformat("1900-01-02")
LATEST = datetime.fromisoformat("2200-12-30")


@pytest.mark.parametrize("kind", KINDS)
def test_a_golden_event_reads_and_writes_back(kind: str) -> None:
    message = golden(kind)
    event = read_event(message)
    assert event.kind == kind
    assert written(event) == message
    assert read_event(json.dumps(message)) == read_event(json.dumps(message).encode()) == event


@pytest.mark.parametrize(("name", "kind"), FURTHER_EVENTS.items())
def test_a_further_golden_event_reads_and_writes_back(name: str, kind: str) -> None:
    assert read_event(golden(name)).kind == kind
    assert written(read_event(golden(name))) == golden(name)


def test_every_field_of_every_kind_is_in_a_golden_event() -> None:
    everywhere: set[str] = set()
    for model in get_args(get_args(Event)[0]):
        kind = model.model_fields["kind"].default
        shown = {
            *golden(kind),
            *(key for name, of in FURTHER_EVENTS.items() if of == kind for key in golden(name)),
        }
        everywhere |= shown
        # What every event may have is shown once; who entered an act of an office, where one was.
        assert set(model.model_fields) - shown <= COMMON, kind
    assert everywhere >= COMMON


def test_there_are_28_kinds_and_those_of_reference_are_among_them() -> None:
    assert len(KINDS) == 28
    assert set(KINDS) > REFERENCE_KINDS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "cylinder_code" in golden(kind)])
def test_an_event_gives_the_canonical_code_of_its_cylinder(kind: str) -> None:
    assert read_event(golden(kind)).code == "331001000123"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1, 1e9, 10**400, "heavy", [1]])
def test_a_mass_that_can_not_be_weighed_is_refused(number: Any) -> None:
    assert "gas_mass_kg:" in problems(changed("fill", gas_mass_kg=number))


def test_masses_are_kept_to_the_gram() -> None:
    assert written(read_event(changed("fill", gas_mass_kg=14.620449)))["gas_mass_kg"] == 14.62


@pytest.mark.parametrize("number", [-1, 2**53, 10**100, 0.5])
def test_a_sequence_number_no_device_counts_to_is_refused(number: Any) -> None:
    assert "device_seq:" in problems(changed("fill", device_seq=number))


def test_an_integer_too_long_to_read_is_refused() -> None:
    text = json.dumps(golden("fill"))[:-1] + ', "clock_offset_ms": ' + "9" * 100_000 + "}"
    assert problems(text)


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("fill", {"tare_kg": 31.1, "gross_kg": 16.48}, "swapped"),
        ("fill", {"gas_mass_kg": None, "gross_kg": None}, "needs gas_mass_kg"),
        ("fill", {"ended_at": "2026-03-02T08:00:00Z", "started_at": "2026-03-02T08:00:01Z"}, "ended_at"),
        ("inspect", {"valid_until": None}, "valid_until"),
        ("register", {"cylinder": {"medium": "lpg"}}, "cylinder_class, owner_id"),
        ("observe", {"cylinder_code": "不是钢瓶"}, "cylinder_code: '不是钢瓶' is not a cylinder code"),
        ("tag_bind", {"new_code": "x"}, "new_code"),
        ("correct", {"cylinder_code": ""}, "cylinder_code"),
        ("fill", {"medium": "LPG"}, "medium"),
        ("fill", {"photo_sha256": "A" * 64}, "photo_sha256"),
    ],
)
def test_an_event_that_contradicts_itself_is_refused(kind: str, changes: dict[str, Any], said: str) -> None:
    assert said in problems(changed(kind, **changes))


@pytest.mark.parametrize("result", ["fail", "scrap"])
def test_an_inspection_not_passed_needs_no_term(result: str) -> None:
    assert read_event(changed("inspect", result=result, valid_until=None)).valid_until is None


@given(
    st.uuids(),
    st.datetimes(EARLIEST, LATEST),
    st.integers(-23 * 60, 23 * 60),
    st.integers(0, 2**53 - 1),
)
def test_what_is_written_reads_back_the_same(
    event_id: UUID, local: datetime, offset_minutes: int, device_seq: int
) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    event = read_event(
        changed("observe", event_id=str(event_id), occurred_at=moment.isoformat(), device_seq=device_seq)
    )
    assert timedelta(0) <= moment - event.occurred_at < timedelta(milliseconds=1)
    assert event.occurred_at.utcoffset() == moment.utcoffset()
    assert read_event(canonical_bytes(written(event))) == event


def test_a_tag_is_not_replaced_by_itself() -> None:
    message = golden("tag_replace")
    with pytest.raises(MalformedEvent, match="the code that is replaced"):
        read_event(message | {"new_code": f"]Q1{message['cylinder_code']}"})

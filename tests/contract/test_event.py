import json
import math
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.contract.event import KINDS, REFERENCE_KINDS, MalformedEvent, read_event, written
from cylinder_trace.contract.leaf import canonical_bytes
from tests.contract import golden

EARLIEST = datetime.fromisoformat("1900-01-02")
LATEST = datetime.fromisoformat("2200-12-30")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def problems(message: Any) -> str:
    with pytest.raises(MalformedEvent) as caught:
        read_event(message)
    return "; ".join(caught.value.problems)


def changed(kind: str, /, **changes: Any) -> dict[str, Any]:
    return {**golden(kind), **changes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_golden_event_reads_and_writes_back(kind: str) -> None:
    message = golden(kind)
    event = read_event(message)
    assert event.kind == kind
    assert written(event) == message
    assert read_event(json.dumps(message)) == read_event(json.dumps(message).encode()) == event


def test_there_are_26_kinds_and_those_of_reference_are_among_them() -> None:
    assert len(KINDS) == 26
    assert set(KINDS) > REFERENCE_KINDS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "cylinder_code" in golden(kind)])
def test_an_event_gives_the_canonical_code_of_its_cylinder(kind: str) -> None:
    assert read_event(golden(kind)).code == "331001000123"


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    said = problems(changed("fill", kind="explode"))
    assert "'explode'" in said
    assert all(kind in said for kind in KINDS)


def test_a_missing_kind_is_told_the_known_ones() -> None:
    message = golden("fill")
    del message["kind"]
    assert all(kind in problems(message) for kind in KINDS)


def test_an_unknown_kind_of_any_length_gives_a_short_answer() -> None:
    assert len(problems(changed("fill", kind="x" * 100_000))) < 1_000


@pytest.mark.parametrize("name", ["colour", "hold", "fill"])
def test_an_unknown_field_is_named(name: str) -> None:
    assert problems(changed("fill", **{name: 1})).startswith(f"{name}: ")


def test_every_wrong_field_is_named() -> None:
    message = changed("register", event_id="x", lat=91)
    message["cylinder"]["tare_kg"] = -1
    said = problems(message)
    assert all(name in said for name in ("event_id:", "lat:", "cylinder.tare_kg:"))


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
    ("said", "kept"),
    [
        ("2026-03-02T08:00:00.123999+08:00", "2026-03-02T08:00:00.123+08:00"),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000+00:00"),
        ("2026-03-02T08:00:00-00:00", "2026-03-02T08:00:00.000+00:00"),
        ("2026-03-01T18:30:00.5-05:30", "2026-03-01T18:30:00.500-05:30"),
    ],
)
def test_a_time_is_cut_to_the_millisecond_and_keeps_its_offset(said: str, kept: str) -> None:
    message = written(read_event(changed("observe", occurred_at=said)))
    assert message["occurred_at"] == kept
    assert written(read_event(message)) == message


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-02T08:00:00",
        "2026-03-02",
        "2026-03-02T08:00:00+08:00:30",
        "2026-03-02T08:00:00+24:00",
        "2026-02-30T08:00:00Z",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "yesterday",
        True,
    ],
)
def test_a_time_that_names_no_moment_in_range_is_refused(time: Any) -> None:
    assert problems(changed("observe", occurred_at=time)).startswith("occurred_at: ")


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


@pytest.mark.parametrize(
    "message",
    [
        "",
        b"",
        "fill",
        b"\xff\xfe\x00",
        b'{"kind": "\xff"}',
        None,
        True,
        7,
        0.5,
        [],
        [{}],
        {},
        {1: 2},
        object(),
        {b"a": 1},
    ],
)
def test_what_is_no_json_object_is_malformed(message: Any) -> None:
    assert problems(message)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_message_nested_ten_thousand_deep_is_malformed(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    deep = opening * 10_000 + "0" + closing * 10_000
    assert problems(deep)
    assert problems(deep.encode())
    assert problems(json.dumps(golden("observe"))[:-1] + f', "note": {deep}}}')


def test_an_object_nested_ten_thousand_deep_is_malformed() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    assert problems(changed("observe", note=deep))


def test_a_field_given_twice_is_refused_by_name() -> None:
    text = json.dumps(golden("fill"))
    assert problems(text[:-1] + ', "medium": "o2"}').startswith("medium: ")
    assert problems(text[:-1].encode() + b', "m\\u0065dium": "lpg"}').startswith("medium: ")


@pytest.mark.parametrize("name", ["note", "reason", "cylinder_code"])
def test_half_a_surrogate_pair_is_refused(name: str) -> None:
    message = changed("lost", **{name: "331001000123\ud800"})
    assert problems(message)
    assert problems(json.dumps(message))
    assert problems(json.dumps(message, ensure_ascii=False))
    assert problems(json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def test_a_whole_surrogate_pair_is_one_character() -> None:
    message = json.dumps(changed("lost", note="𠮷瓶"))
    assert "\\ud842\\udfb7" in message
    assert "𠮷瓶".encode() in canonical_bytes(written(read_event(message)))


@given(JSON)
def test_any_json_value_is_read_or_malformed(value: Any) -> None:
    with suppress(MalformedEvent):
        read_event(value)


@given(st.sampled_from(KINDS), st.data())
def test_a_golden_event_with_any_one_field_replaced_is_malformed_or_can_be_hashed(
    kind: str, data: st.DataObject
) -> None:
    message = golden(kind)
    message[data.draw(st.sampled_from(sorted(message)))] = data.draw(JSON)
    try:
        event = read_event(message)
    except MalformedEvent:
        return
    assert canonical_bytes(written(event))
    assert read_event(written(event)) == event


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

"""Whatever is sent is read as it was meant, or refused with the field named and what to send instead."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.contract.event import KINDS, MalformedEvent, read_event, written
from cylinder_trace.contract.leaf import canonical_bytes
from cylinder_trace.contract.reading import decoded
from tests.contract import changed, golden, problems

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


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


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("fill", {"gas_mass_kg": "14.5"}, "gas_mass_kg: should be a valid number, not '14.5'"),
        ("fill", {"gas_mass_kg": True}, "gas_mass_kg: should be a valid number, not True"),
        ("fill", {"device_seq": "7"}, "device_seq: should be a valid integer, not '7'"),
        ("fill", {"device_seq": 7.0}, "device_seq: should be a valid integer, not 7.0"),
        ("fill", {"device_seq": False}, "device_seq: should be a valid integer, not False"),
        ("fill", {"clock_offset_ms": "0"}, "clock_offset_ms: should be a valid integer, not '0'"),
        ("fill", {"operator_id": 12}, "operator_id: should be a valid string, not 12"),
        (
            "fill",
            {"cylinder_code": 331001000123},
            "cylinder_code: should be a valid string, not 331001000123",
        ),
        (
            "deliver",
            {"real_name_verified": "yes"},
            "real_name_verified: should be a valid boolean, not 'yes'",
        ),
        ("fill_check", {"items_failed": "漏气"}, "items_failed: should be a valid array, not '漏气'"),
        ("fill_check", {"items_failed": ["漏气"] * 51}, "items_failed: Tuple should have at most 50 items"),
        ("fill_check", {"result": "PASS"}, "result: should be 'pass' or 'fail', not 'PASS'"),
        (
            "fill",
            {"site_id": "ST 01"},
            "site_id: 'ST 01' is not right; send letters, digits and . : @ _ - only",
        ),
        (
            "fill",
            {"site_id": "ＳＴ０１"},
            "site_id: 'ＳＴ０１' has full-width or composed characters; send 'ST01'",
        ),
        ("fill", {"medium": "LPG"}, "medium: 'LPG' is not right; send the code of a medium in small letters"),
        ("fill", {"colour": "red"}, "colour: is no field of fill; leave it out"),
        ("correct", {"corrects": "00000000-0000-4000-8000-000000000017"}, "the event's own event_id"),
        (
            "correct",
            {"replaced_by": "00000000-0000-4000-8000-000000000007"},
            "replaced_by is the wrong event",
        ),
    ],
)
def test_a_refused_field_is_named_with_what_was_sent_and_what_to_send(
    kind: str, changes: dict[str, Any], said: str
) -> None:
    assert said in problems(changed(kind, **changes))
    assert said in problems(json.dumps(changed(kind, **changes), ensure_ascii=False))


def test_a_missing_field_is_named_with_the_kind_that_needs_it() -> None:
    message = golden("fill")
    del message["operator_id"]
    assert problems(message) == "operator_id: is missing; fill needs it"


@pytest.mark.parametrize("text", ["瓶\x00", "\x1b[2J", "\x7f", "瓶\x85号", "\u202e01", "\u2066"])
def test_a_note_with_what_nobody_sees_is_refused(text: str) -> None:
    assert problems(changed("fill", note=text)).startswith("note: has the invisible character U+")


def test_a_note_may_have_lines_and_any_script() -> None:
    assert read_event(changed("fill", note="第一行\n第二行\t𠮷 é")).note == "第一行\n第二行\t𠮷 é"


def test_a_note_of_ten_megabytes_gives_a_short_answer() -> None:
    said = problems(changed("fill", note="瓶" * 10_000_000))
    assert said.startswith("note: ")
    assert len(said) < 200


def test_a_message_with_a_hundred_thousand_faults_gives_a_short_answer() -> None:
    said = problems(changed("fill", **{f"field_{number}": number for number in range(100_000)}))
    assert "and 99980 more" in said
    assert len(said) < 5_000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused_by_its_field(number: str) -> None:
    text = json.dumps(golden("fill")).replace("14.62", number)
    assert problems(text).startswith("gas_mass_kg: should be a finite number")


def test_only_utf_8_is_read() -> None:
    text = json.dumps(golden("fill"))
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        assert problems(text.encode(encoding)).startswith("the message: ")


def test_half_a_character_is_found_where_it_is() -> None:
    message = changed("fill_check", items_failed=["漏气", "\udc00"])
    assert problems(message).startswith("items_failed.1: has half a character")


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


def test_a_field_given_twice_costs_its_own_event_only() -> None:
    good = json.dumps(golden("observe"))
    twice = json.dumps(golden("register")).replace('"medium": "lpg"', '"medium": "lpg", "medium": "o2"')
    one, two = decoded(f'{{"events": [{good}, {twice}]}}')["events"]
    assert read_event(one) == read_event(golden("observe"))
    assert problems(two) == "cylinder.medium: is given more than once; send it once"


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

import hashlib
import json
import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.contract.event import KINDS, read_event, written
from cylinder_trace.contract.leaf import canonical_bytes, leaf_hash
from tests.contract import golden

PINNED = golden("leaf_hashes")
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
TEXTS = st.text(max_size=20)
SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.dictionaries(NAMES, VALUES, max_size=6)


def independently(message: Any) -> bytes:
    return json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def reversed_members(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_members(value[key]) for key in reversed(value)}
    return [reversed_members(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", KINDS)
def test_the_leaf_hash_of_a_golden_event_never_changes(kind: str) -> None:
    received_at = datetime.fromisoformat(PINNED["received_at"])
    assert leaf_hash(written(read_event(golden(kind))), received_at).hex() == PINNED["sha256"][kind]


@pytest.mark.parametrize("kind", KINDS)
def test_anyone_can_hash_a_golden_event_without_our_code(kind: str) -> None:
    message = json.loads(
        json.dumps(golden(kind)),
        parse_float=lambda text: int(float(text)) if text.endswith(".0") else float(text),
    )
    envelope = {"event": message, "received_at": PINNED["received_at"]}
    assert hashlib.sha256(b"\x00" + independently(envelope)).hexdigest() == PINNED["sha256"][kind]


@given(MESSAGES)
def test_canonical_bytes_agree_with_an_independent_writer(message: dict[str, Any]) -> None:
    assert canonical_bytes(message) == independently(message)


@given(MESSAGES)
def test_canonical_bytes_do_not_depend_on_the_order_of_members(message: dict[str, Any]) -> None:
    assert canonical_bytes(reversed_members(message)) == canonical_bytes(message)


@given(MESSAGES, NAMES)
def test_an_absent_member_and_a_null_member_are_the_same(message: dict[str, Any], name: str) -> None:
    message.pop(name, None)
    assert canonical_bytes({**message, name: None}) == canonical_bytes(message)


@given(st.integers(-180_000_000, 180_000_000))
def test_a_position_is_written_with_its_six_decimals_and_reads_back(millionths: int) -> None:
    degrees = millionths / 1_000_000
    text = canonical_bytes({"lat": degrees}).decode()
    assert "e" not in text.removeprefix('{"lat":')
    assert json.loads(text)["lat"] == degrees


@pytest.mark.parametrize(
    ("number", "text"),
    [(14.0, "14"), (-0.0, "0"), (0.1, "0.1"), (-0.0000001, "0"), (100.0, "100"), (1e-6, "0.000001")],
)
def test_a_number_is_written_one_way_only(number: float, text: str) -> None:
    assert canonical_bytes({"n": number}).decode() == f'{{"n":{text}}}'


@pytest.mark.parametrize(
    "number", [math.nan, math.inf, -math.inf, 1e300, -1e16, 2**53 + 1, -(2**53) - 1, 10**400]
)
def test_a_number_that_json_can_not_carry_exactly_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"canonical|exact"):
        canonical_bytes({"n": [number]})


def test_a_value_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        canonical_bytes({"n": b"x"})


def test_the_time_of_receipt_is_part_of_the_leaf() -> None:
    message = golden("fill")
    first, second = (datetime.fromisoformat(f"2026-03-02T00:30:00.{ms}+00:00") for ms in ("125", "126"))
    assert leaf_hash(message, first) != leaf_hash(message, second)


@pytest.mark.parametrize("received_at", ["2026-03-02T08:30:00.125+08:00", "2026-03-02T00:30:00.125"])
def test_a_moment_of_receipt_that_is_not_in_utc_is_refused(received_at: str) -> None:
    with pytest.raises(ValueError, match="UTC"):
        leaf_hash(golden("fill"), datetime.fromisoformat(received_at))

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from cylinder_trace.contract.event import KINDS
from cylinder_trace.contract.master import MalformedRecord, OwnerRecord, PersonRecord, SiteRecord, read_record
from cylinder_trace.contract.receipt import Answer, BatchReceipt
from cylinder_trace.contract.signing import KeyFile
from cylinder_trace.contract.verdict import FillCheckRequest, Verdict
from tests.contract import FURTHER_EVENTS, GOLDEN, golden

ANSWERS: dict[str, type[BaseModel]] = {
    "batch_receipt": BatchReceipt,
    "verdict": Verdict,
    "key_file": KeyFile,
    "answer": Answer,
    "fill_check_request": FillCheckRequest,
}
RECORDS = ("record_site", "record_customer", "record_owner", "record_person")


def test_every_golden_message_has_a_test() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {
        *(*KINDS, *FURTHER_EVENTS, *RECORDS, *ANSWERS, "leaf_hashes")
    }


@pytest.mark.parametrize("name", RECORDS)
def test_a_golden_record_reads_and_writes_back(name: str) -> None:
    message = golden(name)
    record = read_record(message)
    assert record.model_dump(mode="json", exclude_none=True) == message
    assert read_record(json.dumps(message).encode()) == record


@pytest.mark.parametrize("name", ANSWERS)
def test_a_golden_answer_reads_and_writes_back(name: str) -> None:
    message = golden(name)
    read = ANSWERS[name].model_validate_json(json.dumps(message))
    assert read.model_dump(mode="json", exclude_none=True) == message


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("record_site", {"colour": "red"}, "colour"),
        ("record_site", {"district": "3101"}, "district"),
        ("record_site", {"opens": "25:00"}, "opens"),
        ("record_site", {"opens": "24:00"}, "opens: '24:00' is not right; send a time of day"),
        ("record_site", {"closes": "24:30"}, "closes"),
        ("record_site", {"lat": "31.2"}, "lat: should be a valid number, not '31.2'"),
        ("record_site", {"guns": ["GUN-1"] * 201}, "guns"),
        ("record_site", {"name": "充装站\u202e"}, "name: has the invisible character U\\+202E"),
        ("record_site", {"type": "garage"}, "type"),
        ("record_site", {"lat": float("nan")}, "lat"),
        ("record_owner", {"owner_id": "with space"}, "owner_id"),
        ("record_person", {"certificate_valid_until": "2026-02-30"}, "certificate_valid_until"),
        ("record_person", {"certificate_valid_until": 20000}, "certificate_valid_until: is no day"),
        ("record_person", {"record": "animal"}, "'animal' is unknown; known records are site, owner, person"),
    ],
)
def test_a_wrong_record_names_its_field(name: str, change: dict[str, Any], named: str) -> None:
    with pytest.raises(MalformedRecord, match=named):
        read_record({**golden(name), **change})


def test_a_record_with_a_field_given_twice_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="name: is given more than once"):
        read_record(json.dumps(golden("record_owner"))[:-1] + ', "name": "another"}')


def test_every_field_of_a_record_is_in_a_golden_one() -> None:
    for models, names in (
        (SiteRecord, ("record_site", "record_customer")),
        (OwnerRecord, ("record_owner",)),
        (PersonRecord, ("record_person",)),
    ):
        assert {name for one in names for name in golden(one)} == set(models.model_fields)


def test_a_key_file_with_a_field_too_many_is_refused() -> None:
    with pytest.raises(ValidationError, match="password"):
        KeyFile.model_validate({**golden("key_file"), "password": "x"})

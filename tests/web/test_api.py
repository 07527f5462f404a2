"""The stations' API: what is believed, what is refused, and that every answer says what to do."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from werkzeug.test import TestResponse

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.signing import COVERED_COMPONENTS, SIGNATURE_LABEL, KeyFile
from cylinder_trace.enrolment import enrol
from cylinder_trace.law.tables import load
from cylinder_trace.settings import load_settings
from cylinder_trace.store import ledger, people
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.web.app import create_app
from cylinder_trace.web.server import Server

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
EVENTS = "/api/v1/events"


class Station:
    """A device that signs as the contract says, or wrongly where a test asks for it."""

    def __init__(self, client: FlaskClient, key: KeyFile) -> None:
        self.client = client
        self.device_id = key.device_id
        self.private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.private_key))

    def post(
        self,
        body: bytes | dict[str, Any],
        *,
        created: datetime = NOW,
        key_id: str | None = None,
        path: str = EVENTS,
        change: Callable[[dict[str, str]], None] = lambda _headers: None,
        sent: bytes | None = None,
    ) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = requests.Request(
            "POST", f"http://localhost{path}", data=raw, headers={"Content-Type": "application/json"}
        ).prepare()
        name = key_id or self.device_id
        keys = MappingKeyResolver(public_keys={}, private_keys={name: self.private})
        HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys).sign(
            request,
            key_id=name,
            created=created,
            nonce=uuid4().hex,
            label=SIGNATURE_LABEL,
            covered_component_ids=COVERED_COMPONENTS,
            body=raw,
        )
        headers = dict(request.headers)
        change(headers)
        headers.pop("Content-Length", None)
        return self.client.post(path, data=sent if sent is not None else raw, headers=headers)


@pytest.fixture
def client(database: Database) -> Iterator[FlaskClient]:
    here = Server(database, ReferenceCache(load()), load_settings(), lambda: epoch_ms(NOW))
    app = create_app(here)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client


@pytest.fixture
def station(client: FlaskClient, database: Database) -> Station:
    with database.writing() as connection:
        key = enrol(connection, "gun-1", "ST01", "http://localhost", epoch_ms(NOW))
    return Station(client, key)


def observed(**changes: Any) -> dict[str, Any]:
    event = {
        "kind": "observe",
        "event_id": str(uuid4()),
        "occurred_at": NOW.isoformat(),
        "cylinder_code": "3310400012345",
        "site_id": "ST01",
        "operator_id": "op-1",
        "device_id": "gun-1",
        "device_seq": 1,
    }
    return event | changes


def on_record(database: Database) -> int:
    with database.reading() as connection:
        return ledger.counts(connection)["events"]


def test_a_signed_batch_is_recorded_and_judged_and_a_repeat_gets_the_first_receipt(
    station: Station, database: Database
) -> None:
    batch = {"events": [observed()]}
    first = station.post(batch).get_json()
    again = station.post(batch).get_json()
    assert [first["stored"], again["stored"], again["duplicate"]] == [1, 0, 1]
    assert first["receipts"][0]["findings"] == ["unregistered"]
    assert again["receipts"][0]["leaf_hash"] == first["receipts"][0]["leaf_hash"]
    assert on_record(database) == 1


def test_the_good_events_of_a_half_bad_batch_are_kept(station: Station, database: Database) -> None:
    bad = [
        observed(kind="vanish"),
        {"nonsense": True},
        7,
        observed(cylinder_code="http://example.com"),
        observed(device_id="gun-2"),
    ]
    answer = station.post({"events": [observed(), *bad, observed()]}).get_json()
    assert [one["status"] for one in answer["receipts"]] == ["stored", *["refused"] * 5, "stored"]
    assert "known kinds are" in answer["receipts"][1]["refusal"]["en"]
    assert answer["receipts"][5]["refusal"]["code"] == "not_your_device"
    assert on_record(database) == 2


@pytest.mark.parametrize("away", [timedelta(days=3 * 365), timedelta(days=-3 * 365)])
def test_a_scan_whose_clock_is_years_off_is_sent_back_with_the_servers_time(
    station: Station, away: timedelta
) -> None:
    answer = station.post({"events": [observed(occurred_at=(NOW + away).isoformat())]}).get_json()
    refusal = answer["receipts"][0]["refusal"]
    assert refusal["code"] == "clock_implausible"
    assert "2026-11-24" in refusal["en"]


def test_the_same_id_with_other_content_is_refused_as_a_conflict(station: Station) -> None:
    event = observed()
    station.post({"events": [event]})
    answer = station.post({"events": [event | {"operator_id": "op-2"}]}).get_json()
    assert answer["receipts"][0]["refusal"]["code"] == "conflict"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"events": 3}', b'{"evnts": []}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_body_that_is_no_batch_is_answered_with_what_to_send(station: Station, body: bytes) -> None:
    answer = station.post(body)
    assert answer.status_code == 400
    assert answer.get_json()["error"] in {"malformed", "too_large"}
    assert answer.get_json()["zh"]


def test_a_hundred_megabytes_are_refused_before_they_are_read(station: Station) -> None:
    answer = station.post(b"x" * 100_000_000)
    assert answer.status_code == 413
    assert "smaller batches" in answer.get_json()["en"]


def test_the_body_of_a_stranger_is_not_read(client: FlaskClient) -> None:
    class Untouched(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("it was read")

        def readinto(self, *_: Any) -> int:
            raise AssertionError("it was read")

    for headers in ({}, {"Signature-Input": 'station=();keyid="gun-9"'}):
        answer = client.post(
            EVENTS,
            input_stream=Untouched(),
            environ_overrides={"CONTENT_LENGTH": "1000"},
            headers=headers,
            content_type="application/json",
        )
        assert answer.status_code == 401


def test_an_unsigned_request_an_unknown_device_and_a_revoked_one_are_told_apart(
    station: Station, client: FlaskClient, database: Database
) -> None:
    assert client.post(EVENTS, json={"events": []}).get_json()["error"] == "bad_signature"
    assert station.post({"events": []}, key_id="gun-9").get_json()["error"] == "unknown_device"
    with database.writing() as connection:
        people.revoke(connection, "gun-1", epoch_ms(NOW))
    assert station.post({"events": []}).get_json()["error"] == "unknown_device"


def test_a_body_changed_on_the_way_is_not_believed(station: Station, database: Database) -> None:
    answer = station.post({"events": [observed()]}, sent=json.dumps({"events": [observed()]}).encode())
    assert (answer.status_code, answer.get_json()["error"]) == (401, "bad_signature")
    assert on_record(database) == 0


def test_a_signature_that_leaves_out_the_body_is_not_believed(station: Station) -> None:
    def forget_digest(headers: dict[str, str]) -> None:
        headers["Signature-Input"] = headers["Signature-Input"].replace(' "content-digest"', "")

    assert station.post({"events": []}, change=forget_digest).get_json()["error"] == "bad_signature"


def test_a_replayed_signature_is_refused(station: Station) -> None:
    kept: dict[str, str] = {}
    body = json.dumps({"events": []}).encode()
    assert station.post(body, change=kept.update).status_code == 200
    kept.pop("Content-Length", None)
    answer = station.client.post(EVENTS, data=body, headers=kept)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "replayed")


@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=-4000)])
def test_a_wrong_clock_is_told_the_servers_time(station: Station, away: timedelta) -> None:
    answer = station.post({"events": []}, created=NOW + away).get_json()
    assert answer["error"] == "clock"
    assert answer["server_time"].startswith("2026-11-24T08:00")


def test_a_fill_check_is_judged_and_records_nothing(station: Station, database: Database) -> None:
    asked = {"cylinder_code": "3310400012345", "site_id": "ST01", "operator_id": "op-1", "medium": "lpg"}
    verdict = station.post(asked, path="/api/v1/fill-checks").get_json()
    assert verdict["decision"] == "STOP"
    assert "unregistered" in {reason["rule"] for reason in verdict["reasons"]}
    assert on_record(database) == 0


def test_nobody_reads_without_signing_in(client: FlaskClient) -> None:
    for path in (
        "/api/v1/alerts",
        "/api/v1/cylinders/3310400012345",
        "/api/v1/cylinders/3310400012345/history",
    ):
        assert client.get(path).status_code == 401


def test_a_station_sees_only_what_was_scanned_there(
    station: Station, client: FlaskClient, database: Database
) -> None:
    station.post({"events": [observed()]})
    with database.writing() as connection:
        people.put_account(connection, "own", "password-1", "甲", "operator", "ST01")
        people.put_account(connection, "other", "password-2", "乙", "operator", "ST02")
    seen = {}
    for name, password in (("own", "password-1"), ("other", "password-2")):
        client.post("/sign-in", data={"username": name, "password": password})
        seen[name] = (
            client.get("/api/v1/cylinders/3310400012345").status_code,
            client.get("/api/v1/alerts").get_json()["total"],
        )
        client.post("/sign-out")
    assert seen == {"own": (200, 1), "other": (404, 0)}


def test_a_history_and_a_trail_are_json_for_a_regulator(
    station: Station, client: FlaskClient, database: Database
) -> None:
    moved = observed(
        kind="ship", from_site="ST01", to_site="D01", occurred_at=(NOW + timedelta(minutes=1)).isoformat()
    )
    station.post({"events": [observed(), moved]})
    with database.writing() as connection:
        people.put_account(connection, "city", "password-1", "市局", "city", "")
    client.post("/sign-in", data={"username": "city", "password": "password-1"})
    history = client.get("/api/v1/cylinders/3310400012345/history").get_json()
    trail = client.get("/api/v1/cylinders/3310400012345/trail").get_json()
    assert [one["event"]["kind"] for one in history["events"]] == ["observe", "ship"]
    assert [(link["source"], link["target"], link["gap"]) for link in trail["links"]] == [
        ("ST01", "D01", False)
    ]

"""The administrator's commands: what they do, and what they say when they can not."""

import json
from pathlib import Path

import pytest

from cylinder_trace import cli
from cylinder_trace.commands.arguments import moment
from cylinder_trace.judging.rules import RULES
from cylinder_trace.store import people, recipients
from cylinder_trace.store.database import open_database
from tests.world import MINHANG, STATION, World

Run = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def settings(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CYLINDER_TRACE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("NEW_PASSWORD", "correct horse")
    monkeypatch.chdir(tmp_path)


def test_a_device_key_is_given_once_and_works_only_while_enrolled(sqlite_url: str, capsys: Run) -> None:
    assert cli.main(["device", "add", "gun-1", "--site", STATION, "--key-file", "gun.key.json"]) == 0
    key = Path("gun.key.json")
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_text())["device_id"] == "gun-1"
    assert cli.main(["device", "add", "gun-1", "--site", STATION]) == 2
    assert "gun-1 is enrolled already" in capsys.readouterr().err
    assert cli.main(["device", "revoke", "gun-1"]) == 0
    database = open_database(sqlite_url)
    with database.reading() as connection:
        device = people.find_device(connection, "gun-1")
    database.close()
    assert device is not None
    assert device.revoked_ms is not None


def test_a_device_whose_key_could_not_be_written_is_not_enrolled(capsys: Run) -> None:
    Path("gun.key.json").write_text("another device's key")
    assert cli.main(["device", "add", "gun-1", "--site", STATION, "--key-file", "gun.key.json"]) == 2
    assert "gun.key.json is there already" in capsys.readouterr().err
    assert Path("gun.key.json").read_text() == "another device's key"
    assert cli.main(["device", "add", "gun-1", "--site", STATION, "--key-file", "other.key.json"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["user", "add", "li", "--name", "李", "--role", "officer"], "takes --scope ADCODE"),
        (["user", "add", "li", "--name", "李", "--role", "operator"], "takes --scope SITE"),
        (["user", "add", "li", "--name", "李", "--role", "city", "--scope", MINHANG], "takes no --scope"),
        (["user", "add", "li", "--name", "李", "--role", "officer", "--scope", "999999"], "310112 闵行"),
        (["recipient", "add", "nobody"], "is no mail address"),
        (["recipient", "add", "a@example.org", "--district", "闵行"], "310112 闵行"),
        (["device", "add", "gun-1"], "needs --site"),
        (["device", "revoke", "gun-9"], "no enrolled device gun-9"),
        (["load", "--events", "nowhere.jsonl"], "nowhere.jsonl"),
        (["sweep", "--as-of", "2026-05-01T00:00:00"], "has no offset"),
        (["sweep", "--as-of", "0001-01-01"], "give a year from 1990 to 2100"),
        (["sweep", "--as-of", "yesterday"], "yesterday is no moment; 2026-11-01 is its midnight"),
        (["load"], "nothing to load; give --master, --events, or both"),
        (["replay", "--sample", "-1"], "-1: give a whole number from 0 to 1,000"),
        (["replay", "--set", "overfill.mass_tolerance_kg=-1"], "a number from 0 up"),
        (["replay", "--from", "2026-11-02", "--to", "2026-11-01"], "--from is not before --to"),
        (["simulate", "--out", "x", "--cylinders", "0"], "0: give a whole number from 1 to"),
        (["simulate", "--out", "x", "--days", "0"], "0: give a whole number from 7 to"),
        (["simulate", "--out", "x", "--seed", "-1"], "-1: give a whole number from 0 to"),
        (["demo", "--cylinders", "none"], "none: give a whole number from 1 to"),
        (["evaluate", "--events", "bad", "--labels", "bad", "--master", "bad"], "bad is no labels.jsonl"),
    ],
)
def test_what_can_not_be_done_is_said_with_what_to_give_instead(
    words: list[str], said: str, capsys: Run
) -> None:
    Path("bad").write_text("no JSON\n")
    try:
        code = cli.main(words)
    except SystemExit as end:
        code = int(str(end.code))
    assert code in {1, 2}
    assert said in capsys.readouterr().err


def test_a_setting_that_can_not_be_read_is_named(capsys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYLINDER_TRACE_PORT", "0")
    assert cli.main(["rules"]) == 2
    assert "CYLINDER_TRACE_PORT=0" in capsys.readouterr().err


def test_a_plain_date_is_its_midnight_in_shanghai() -> None:
    assert moment("2026-11-01") == moment("2026-10-31T16:00:00+00:00")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///empty.sqlite3", "run: cylinder-trace db upgrade"),
        ("postgresql://nobody@127.0.0.1:1/none", "the database does not answer"),
        ("nonsense", "can not be read"),
    ],
)
def test_a_database_that_is_not_there_is_said_to_be(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Run
) -> None:
    monkeypatch.setenv("CYLINDER_TRACE_DATABASE_URL", url)
    assert cli.main(["sweep"]) == 2
    assert said in capsys.readouterr().err


def test_an_abolished_district_is_the_one_that_answers_for_it_today(sqlite_url: str) -> None:
    assert cli.main(["recipient", "add", "team@example.org", "--district", "310119"]) == 0
    assert cli.main(["user", "add", "li", "--name", "李", "--role", "officer", "--scope", "310119"]) == 0
    database = open_database(sqlite_url)
    with database.reading() as connection:
        assert [one.address for one in recipients.everyone(connection)] == ["team@example.org"]
        person = people.signed_in(connection, "li", "correct horse")
    database.close()
    assert person is not None
    assert person.scope.id == "310115"


def test_a_city_is_simulated_loaded_judged_and_replayed(sqlite_url: str, capsys: Run) -> None:
    assert cli.main(["simulate", "--out", "city", "--cylinders", "60", "--days", "10"]) == 0
    loading = ["load", "--master", "city/master.jsonl", "--events", "city/events.jsonl"]
    assert cli.main(loading) == 0
    assert cli.main(["sweep", "--as-of", "2026-11-05T00:00:00+08:00"]) == 0
    capsys.readouterr()
    assert cli.main(["replay", "--as-of", "2026-11-05T00:00:00+08:00"]) == 0
    # Two lines of heading, then a line a rule: its name, and what it found.
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    replayed = {line[0] for line in lines if line and line[0] in RULES}
    database = open_database(sqlite_url)
    found = {rule for rule, _ in World(database, licences=False).alerts()}
    database.close()
    assert replayed == found
    assert len(found) > 5

"""Commands about stations' duties: who is reminded, and the walk at once."""

import pytest

from cylinder_trace import cli
from cylinder_trace.store import contacts
from cylinder_trace.store.database import open_database
from tests.world import OWNER, STATION, World

Run = pytest.CaptureFixture[str]


@pytest.fixture
def url(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CYLINDER_TRACE_DATABASE_URL", sqlite_url)
    database = open_database(sqlite_url)
    World(database)
    database.close()
    return sqlite_url


def test_an_address_is_named_listed_and_taken_off(url: str, capsys: Run) -> None:
    assert cli.main(["contact", "add", "safety@example.cn", "--of", STATION, "--name", "安全员"]) == 0
    assert cli.main(["contact", "add", "firm@example.cn", "--of", OWNER]) == 0
    capsys.readouterr()
    assert cli.main(["contact", "list"]) == 0
    assert f"{STATION}\tsafety@example.cn\t安全员" in capsys.readouterr().out
    assert cli.main(["contact", "remove", "firm@example.cn", "--of", OWNER]) == 0
    database = open_database(url)
    with database.reading() as connection:
        assert [its for _, its, _ in contacts.everyone(connection)] == ["safety@example.cn"]
    database.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "nobody", "--of", STATION], "nobody is no mail address"),
        (["add", "a@example.cn"], "neither a site nor a firm"),
        (["add", "a@example.cn", "--of", "nowhere"], "nowhere is neither a site nor a firm"),
        (["remove", "a@example.cn", "--of", STATION], "is no address of"),
    ],
)
def test_an_address_that_can_not_be_named_is_refused_with_the_reason(
    url: str, capsys: Run, words: list[str], said: str
) -> None:
    assert cli.main(["contact", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_walk_is_done_at_once_and_says_what_it_did(url: str, capsys: Run) -> None:
    assert cli.main(["duties"]) == 0
    assert "6 owed" in capsys.readouterr().out
    assert cli.main(["duties"]) == 0
    assert "0 owed" in capsys.readouterr().out

"""`cylinder-trace outbox`: dead letters are listed, sent again and let go from a terminal."""

import pytest

from cylinder_trace import cli
from cylinder_trace.store import outbox, recipients
from cylinder_trace.store.database import Database, open_database
from tests.postbox import outbox_rows


@pytest.fixture
def lasting(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("CYLINDER_TRACE_DATABASE_URL", sqlite_url)
    database = open_database(sqlite_url)
    with database.writing() as connection:
        for number in (1, 2):
            outbox.post(connection, "g", f"{number}@example.org", "预警", f"<{number}@x>", b"x", 0)
            mail = outbox.lease(connection, 0, 1)
            assert mail is not None
            outbox.failed(connection, mail, "550 no such user", None)
    return database


def test_dead_letters_are_listed_sent_again_and_let_go(
    lasting: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["outbox", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{one}\tdead\t1\tmail\t{one}@example.org\t预警\t550 no such user" for one in (2, 1)]
    assert cli.main(["outbox", "resend", "1"]) == 0
    assert cli.main(["outbox", "let-go", "2"]) == 0
    assert [row.state for row in outbox_rows(lasting)] == ["waiting", "let_go"]
    lasting.close()


def test_what_is_no_dead_letter_is_left_as_it_is(
    lasting: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["outbox", "resend", "1", "1", "7"]) == 1
    said = capsys.readouterr().err
    assert "1 is no dead letter: waiting" in said
    assert "7 is not in the outbox" in said
    assert cli.main(["outbox", "resend"]) == 2
    lasting.close()


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://bridge.example.cn/notices", True),
        ("http://127.0.0.1:9000/notices", True),
        ("http://bridge.example.cn/notices", False),
        ("https://", False),
        ("nobody", False),
    ],
)
def test_a_message_platform_is_a_recipient_where_what_it_is_told_is_encrypted(
    lasting: Database, address: str, is_taken: bool
) -> None:
    assert (cli.main(["recipient", "add", address]) == 0) is is_taken
    with lasting.reading() as connection:
        assert [one.address for one in recipients.everyone(connection)] == [address] * is_taken
    lasting.close()

"""Dead letters are seen and sent again by the city's people, and every page says when nothing is sent at all."""

import pytest

from cylinder_trace.store import outbox, work
from tests.postbox import outbox_rows
from tests.web.conftest import SignIn
from tests.world import World, ms


def dead(world: World, address: str = "gone@example.org") -> None:
    with world.database.writing() as connection:
        outbox.post(connection, address, address, "[气瓶预警] 超期", f"<{address}>", b"x", ms(1))
        mail = outbox.lease(connection, ms(1), ms(2))
        assert mail is not None
        outbox.failed(connection, mail, "550 no such user <b>", None)


def test_promise_7_a_dead_letter_is_on_the_page_with_the_last_answer_and_is_sent_again(
    pages: World, signed_in: SignIn
) -> None:
    dead(pages)
    browser = signed_in("city")
    shown = browser.get("/outbox").text
    assert "gone@example.org" in shown
    assert "550 no such user &lt;b&gt;" in shown
    answer = browser.post("/outbox/1/resend", data={"attempts": "1"})
    assert answer.status_code == 303
    assert outbox_rows(pages.database)[0].state == "waiting"
    assert "gone@example.org" in browser.get("/outbox?state=waiting").text


def test_of_two_people_the_slower_is_shown_what_stands(pages: World, signed_in: SignIn) -> None:
    dead(pages)
    first, second = signed_in("city"), signed_in("city")
    assert first.post("/outbox/1/let-go", data={"attempts": "1"}).status_code == 303
    answer = second.post("/outbox/1/resend", data={"attempts": "1"})
    assert answer.status_code == 409
    assert "已有人先处理" in answer.text
    assert "已作罢" in answer.text
    assert outbox_rows(pages.database)[0].state == "let_go"


@pytest.mark.parametrize("name", ["minhang", "manager-1", "op-1"])
def test_only_the_city_sees_the_outbox(pages: World, signed_in: SignIn, name: str) -> None:
    dead(pages)
    browser = signed_in(name)
    assert browser.get("/outbox").status_code == 404
    assert browser.post("/outbox/1/resend", data={"attempts": "1"}).status_code == 404
    assert outbox_rows(pages.database)[0].state == "dead"


@pytest.mark.parametrize(
    "path", ["/outbox/1/other", "/outbox/9/resend", "/outbox/99999999999999999999/resend"]
)
def test_what_is_not_there_can_not_be_sent_again(pages: World, signed_in: SignIn, path: str) -> None:
    dead(pages)
    assert signed_in("city").post(path, data={"attempts": "1"}).status_code == 404


@pytest.mark.parametrize("name", ["city", "minhang", "manager-1", "op-1"])
def test_promise_13_every_page_says_that_the_worker_stands_still(
    pages: World, signed_in: SignIn, name: str
) -> None:
    browser = signed_in(name)
    assert "没有按时运行" not in browser.get("/alerts").text
    with pages.database.writing() as connection:
        work.note(connection, "delivery", next_run_ms=1)
    assert "没有按时运行" in browser.get("/alerts").text

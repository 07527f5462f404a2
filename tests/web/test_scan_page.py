"""The operator's page in a real browser: a USB scanner that types, a keyboard alone, no network, and a webcam."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import segno

from cylinder_trace.stage import free_port, opened, serving
from cylinder_trace.store import ledger, people
from cylinder_trace.store.database import upgrade
from cylinder_trace.store.ledger import Entry

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
CODE, ON_CAMERA = "3310400012345", "3310400067890"
WIDTH, HEIGHT = 640, 480


def film(path: Path, text: str) -> None:
    """A film (YUV4MPEG2) of a printed QR code, which Chromium plays as if it were its camera."""
    modules = np.array([list(row) for row in segno.make(text, error="m").matrix_iter(scale=8, border=4)])
    frame = np.full((HEIGHT, WIDTH), 235, np.uint8)
    top, left = (HEIGHT - modules.shape[0]) // 2, (WIDTH - modules.shape[1]) // 2
    frame[top : top + modules.shape[0], left : left + modules.shape[1]] = np.where(modules, 16, 235)
    grey = np.full(HEIGHT * WIDTH // 2, 128, np.uint8)  # both chroma planes of 4:2:0
    picture = b"FRAME\n" + frame.tobytes() + grey.tobytes()
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420\n".encode() + picture * 5)


def without_a_browser(why: str) -> NoReturn:
    """Skip, or fail where CI is set: there nothing may go untried."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    if CHROMIUM is None:
        without_a_browser("no Chromium on this machine: apt install chromium")
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright():
            pass
    except (Error, OSError) as error:
        without_a_browser(f"playwright's driver does not start ({error}): apt install libatomic1")

    folder: Path = tmp_path_factory.mktemp("scan-page")
    url, port = f"sqlite:///{folder}/scan.sqlite3", free_port()
    upgrade(url)
    film(folder / "camera.y4m", f"https://qp.example.cn/b?c={ON_CAMERA}")
    with opened(url) as (database, _), database.writing() as connection:
        people.put_account(connection, "op-1", "password-1", "充装工", "operator", "ST01")
    with serving(url, port, folder), sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={folder}/camera.y4m"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        tab = browser.new_page(locale="zh-CN")
        complaints: list[str] = []
        tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(f"http://127.0.0.1:{port}/sign-in")
        tab.fill("input[name=username]", "op-1")
        tab.fill("input[name=password]", "password-1")
        tab.click("main button")
        tab.wait_for_selector("[data-ready=yes]")
        yield tab, url
        browser.close()
    # A request that a test cuts off is the browser's complaint, not the page's.
    assert not [one for one in complaints if not one.startswith("Failed to load resource")]


@pytest.fixture
def tab(page: tuple[Any, str]) -> Any:
    """The page as it is when it was just opened."""
    tab, _ = page
    tab.reload()
    tab.wait_for_selector("[data-ready=yes]")
    return tab


def scans_of(url: str, code: str, kind: str) -> list[Entry]:
    with opened(url) as (database, _), database.reading() as connection:
        return [entry for entry in ledger.of_codes(connection, [code]) if entry.kind == kind]


def typed_by_a_scanner(tab: Any, text: str, *, composing: bool = False, into: str = "") -> None:
    """Key events as a scanner makes them; a composing input method hides the key behind `Process`."""
    tab.evaluate(
        """([text, composing, into]) => {
          const target = into ? document.querySelector(into) : document;
          if (into) target.focus();
          for (const character of [...text, "\\n"]) {
            const enter = character === "\\n";
            const code = enter ? "Enter" : "Digit" + character;
            const key = enter ? "Enter" : composing ? "Process" : character;
            target.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
            if (into && composing && !enter) target.value += "\uff10"; // what the input method writes meanwhile
          }
        }""",
        [text, composing, into],
    )


def shown(tab: Any, words: str) -> Any:
    """The open answer, once it says these words."""
    # Located, not polled by a script: the page's policy lets nobody evaluate text, and that stays on here.
    answer = tab.locator("dialog[open]")
    answer.get_by_text(words).first.wait_for()
    return answer


@pytest.mark.parametrize("composing", [False, True], ids=["plain", "while a Chinese input method composes"])
def test_a_scanned_code_of_an_unknown_cylinder_stops_the_fill(tab: Any, composing: bool) -> None:
    typed_by_a_scanner(tab, CODE, composing=composing)
    answer = shown(tab, "禁止充装")
    assert CODE in answer.inner_text()
    assert "《上海市燃气管理条例》第二十二条（未经核实）" in answer.inner_text()
    box, screen = answer.bounding_box(), tab.viewport_size
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, screen["width"], screen["height"])


def test_a_fill_is_let_go_on_with_a_reason_and_a_name_and_not_without(
    tab: Any, page: tuple[Any, str]
) -> None:
    code = "3310400000044"
    typed_by_a_scanner(tab, code)
    answer = shown(tab, "禁止充装")
    answer.get_by_text("仍要充装").click()
    sent: list[str] = []
    tab.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    answer.get_by_text("登记放行").click()
    tab.fill("#reason", "登记证在手，待补录")
    tab.fill("#approved_by", "   ")
    answer.get_by_text("登记放行").click()
    tab.wait_for_timeout(200)
    assert sent == []
    tab.fill("#approved_by", "值班站长")
    answer.get_by_text("登记放行").click()
    shown(tab, "放行已登记并报告")
    [entry] = scans_of(page[1], code, "override")
    assert entry.message["overrides"] == ["unregistered", "unlicensed_site"]
    assert (entry.message["reason"], entry.message["approved_by"]) == ("登记证在手，待补录", "值班站长")
    tab.locator("#go-on").click()
    # What passes or was merely recorded offers nothing to let go.
    tab.click("[data-action=observe]")
    typed_by_a_scanner(tab, code)
    shown(tab, "未登记气瓶流通")
    assert tab.locator("#let-go").is_hidden()
    tab.locator("#go-on").click()


def test_a_scan_into_the_field_leaves_nothing_of_the_input_method_there(tab: Any) -> None:
    typed_by_a_scanner(tab, CODE, composing=True, into="#code")
    assert CODE in shown(tab, "禁止充装").inner_text()
    tab.keyboard.press("Space")
    tab.locator("dialog[open]").wait_for(state="detached")
    assert tab.input_value("#code") == ""


def test_the_keyboard_alone_chooses_scans_and_goes_on(tab: Any, page: tuple[Any, str]) -> None:
    tab.locator("[data-action=check]").focus()
    for _ in range(8):
        tab.keyboard.press("ArrowRight")
    assert tab.locator("[aria-checked=true]").get_attribute("data-action") == "observe"
    tab.keyboard.press("Tab")
    # As slowly as a person types, which no scanner does.
    tab.keyboard.type("3310400055555", delay=90)
    tab.keyboard.press("Enter")
    shown(tab, "未登记气瓶流通")
    tab.keyboard.press("Space")
    tab.locator("dialog[open]").wait_for(state="detached")
    assert tab.locator("#last").get_by_text("3310400055555").count() == 1
    assert len(scans_of(page[1], "3310400055555", "observe")) == 1


def test_a_recorded_scan_is_in_the_ledger_once(tab: Any, page: tuple[Any, str]) -> None:
    tab.click("[data-action=observe]")
    before = datetime.now(UTC)
    typed_by_a_scanner(tab, CODE)
    tab.locator("#last").get_by_text(CODE).first.wait_for()
    [entry] = scans_of(page[1], CODE, "observe")
    assert entry.site_id == "ST01"
    assert abs(entry.occurred_ms - before.timestamp() * 1000) < 60_000


def test_scans_without_a_network_are_kept_and_sent_once_when_it_is_back(
    tab: Any, page: tuple[Any, str]
) -> None:
    codes = ["3310400000011", "3310400000022"]
    tab.click("[data-action=observe]")
    tab.context.set_offline(True)
    for code in codes:
        typed_by_a_scanner(tab, code)
        shown(tab, "网络恢复后自动上传")
        tab.keyboard.press("Space")
    assert tab.locator("#waiting b").inner_text() == "2"
    assert not any(scans_of(page[1], code, "observe") for code in codes)
    tab.context.set_offline(False)
    with tab.expect_response(lambda one: codes[-1] in (one.request.post_data or "")):
        tab.reload()  # as after a crash: what waits is on disk
    assert [len(scans_of(page[1], code, "observe")) for code in codes] == [1, 1]


def test_a_scan_whose_answer_was_lost_is_sent_again_and_is_one_event(tab: Any, page: tuple[Any, str]) -> None:
    tab.click("[data-action=observe]")
    lost: list[int] = []

    def lose_first_answer(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    tab.route("**/scan", lose_first_answer)
    typed_by_a_scanner(tab, "3310400000033")
    shown(tab, "网络恢复后自动上传")
    tab.locator("#waiting").wait_for(state="hidden")
    tab.unroute("**/scan")
    assert lost == [200]
    assert tab.locator("#tray").is_hidden()  # the second time it was a duplicate, not a conflict
    assert len(scans_of(page[1], "3310400000033", "observe")) == 1


def test_a_label_held_before_the_webcam_is_recorded_once(tab: Any, page: tuple[Any, str]) -> None:
    tab.click("[data-action=observe]")
    tab.click("#camera")
    answer = shown(tab, "未登记气瓶流通")
    assert ON_CAMERA in answer.inner_text()
    tab.keyboard.press("Space")
    # The label is still in view: it has been scanned, and is not scanned again for that.
    for _ in range(3):
        with tab.expect_response("**/scan/frame"):
            pass
    tab.locator("#camera").get_by_text("关闭摄像头").click()
    tab.locator("#camera").get_by_text("打开摄像头").wait_for()
    assert tab.locator("dialog[open]").count() == 0
    assert len(scans_of(page[1], ON_CAMERA, "observe")) == 1

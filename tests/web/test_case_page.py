"""A case in a real browser: the guards are on, and a photograph with a Chinese name goes up and comes back."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from cylinder_trace.stage import free_port
from tests.web.conftest import PASSWORD, strict
from tests.web.test_cases import JPEG, fingerprint  # noqa: F401 - a fixture
from tests.web.test_scan_page import CHROMIUM, without_a_browser
from tests.world import World


@pytest.fixture
def browser(pages: World) -> Iterator[tuple[Any, str]]:
    """A browser, and the address of the pages as they are served."""
    if CHROMIUM is None:
        without_a_browser("no Chromium on this machine: apt install chromium")
    from playwright.sync_api import Error, sync_playwright

    port = free_port()
    served = make_server("127.0.0.1", port, strict(pages.database, pages), threaded=True)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=CHROMIUM)
            yield opened, f"http://127.0.0.1:{port}"
            opened.close()
    except (Error, OSError) as error:
        without_a_browser(f"playwright's driver does not start ({error}): apt install libatomic1")
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def signed_in_tab(browser: tuple[Any, str], name: str) -> Any:
    opened, address = browser
    tab = opened.new_context(locale="zh-CN", base_url=address).new_page()
    tab.goto("/sign-in")
    tab.fill("input[name=username]", name)
    tab.fill("input[name=password]", PASSWORD)
    tab.click("main button")
    tab.wait_for_url("**/")
    return tab


def test_a_case_is_issued_reported_with_a_photograph_and_re_checked_in_the_browser(
    browser: tuple[Any, str],
    fingerprint: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    officer = signed_in_tab(browser, "minhang")
    officer.goto(f"/alerts/{fingerprint}")
    officer.click("text=立案")
    officer.fill("textarea[name=facts]", "现场核实属实。")
    officer.click("text=保存并下达")
    page = officer.url
    assert "现场核实属实。" in officer.text_content("main")
    assert "已下达，待整改" in officer.text_content("main")

    station = signed_in_tab(browser, "manager-1")
    station.goto(page)
    station.click("summary:has-text('提交整改报告')")
    form = station.locator("form[action$='/report']")
    form.locator("textarea").fill("已停用并送检。")
    photo = tmp_path / "现场 照片（一）.jpg"
    photo.write_bytes(JPEG)
    form.locator("input[type=file]").set_input_files(str(photo))
    form.locator("button").click()
    station.wait_for_selector("text=已报整改，待复查")
    with station.expect_download() as waiting:
        station.click(".files a")
    assert waiting.value.suggested_filename == "现场 照片（一）.jpg"
    assert Path(waiting.value.path()).read_bytes() == JPEG

    other = signed_in_tab(browser, "minhang-2")
    other.goto(page)
    other.click("summary:has-text('复查合格')")
    other.locator("form[action$='/pass'] textarea").fill("现场复查合格。")
    other.locator("form[action$='/pass'] button").click()
    other.wait_for_selector("text=已结案")
    other.goto(f"/alerts/{fingerprint}")
    assert "（闵行区）市监特令〔2026〕1号" in other.text_content("main")

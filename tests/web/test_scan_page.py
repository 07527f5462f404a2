"""The operator's page in a real browser, with a USB scanner that types."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cylinder_trace.stage import free_port, opened, serving
from cylinder_trace.store import ledger, people
from cylinder_trace.store.database import upgrade

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
FLAGS += ["--disable-component-update", "--disable-sync"]
CODE = "3310400012345"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    from playwright.sync_api import sync_playwright

    folder: Path = tmp_path_factory.mktemp("scan-page")
    url, port = f"sqlite:///{folder}/scan.sqlite3", free_port()
    upgrade(url)
    with opened(url) as (database, _), database.writing() as connection:
        people.put_account(connection, "op-1", "password-1", "充装工", "operator", "ST01")
    with serving(url, port, folder), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page()
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
    assert not complaints


def typed_by_a_scanner(tab: Any, text: str, *, composing: bool = False) -> None:
    """Key events as a scanner makes them; a composing input method hides the key behind `Process`."""
    tab.evaluate(
        """([text, composing]) => {
          for (const character of [...text, "\\n"]) {
            const enter = character === "\\n";
            const code = enter ? "Enter" : "Digit" + character;
            const key = enter ? "Enter" : composing ? "Process" : character;
            document.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
          }
        }""",
        [text, composing],
    )


@pytest.mark.parametrize("composing", [False, True], ids=["plain", "while a Chinese input method composes"])
def test_a_scanned_code_of_an_unknown_cylinder_stops_the_fill(page: tuple[Any, str], composing: bool) -> None:
    tab, _ = page
    typed_by_a_scanner(tab, CODE, composing=composing)
    # Located, not polled by a script: the page's policy lets nobody evaluate text, and that stays on here.
    tab.locator("dialog[open]").get_by_text("禁止充装").first.wait_for()
    assert CODE in tab.inner_text("body")


def test_a_recorded_scan_is_in_the_ledger_once(page: tuple[Any, str]) -> None:
    tab, url = page
    tab.reload()
    tab.wait_for_selector("[data-ready=yes]")
    tab.click("[data-action=observe]")
    before = datetime.now(UTC)
    typed_by_a_scanner(tab, CODE)
    tab.locator("#last").get_by_text(CODE).first.wait_for()
    with opened(url) as (database, _), database.reading() as connection:
        entries = [entry for entry in ledger.of_codes(connection, [CODE]) if entry.kind == "observe"]
    assert len(entries) == 1
    assert entries[0].site_id == "ST01"
    assert abs(entries[0].occurred_ms - before.timestamp() * 1000) < 60_000

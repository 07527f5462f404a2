"""Promises of the house itself: its rooms, its arrows, its rules' places, and nothing from outside."""

import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import CYLINDER_RULES, NETWORK_RULES, RULES, SITE_RULES, SYSTEM_RULES

CHECKOUT = Path(__file__).parent.parent
ROOMS = {"cylinder_trace", "scanner", "migrations", "fixtures", "tests"}
TOP_LEVEL = ROOMS | {"wsgi.py", "pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "LICENSE"}
LEFT_BY_TOOLS = {"build", "dist", "__pycache__"}
LONGEST_FILE_LINES = 400
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
RULE_FOLDERS: dict[str, tuple[Rule, ...]] = {
    "cylinder": CYLINDER_RULES,
    "site": SITE_RULES,
    "network": NETWORK_RULES,
    "system": SYSTEM_RULES,
}
# Spelt in pieces, so that this file does not find itself.
NOT_OURS_TO_NAME = ["/" + "work/", "/root" + "/", "python" + "hosted", "pypi" + ".org"]
LOADS = re.compile(
    r"""(?:\b(?:src|srcset|action|poster)\s*=\s*|<(?:link|script|image|use)\b[^>]*?\bhref\s*=\s*|url\(\s*|@import\s+"""
    r"""|\b(?:fetch|import|importScripts)\(\s*|\bfrom\s+)["'`]?\s*(?P<address>(?:https?:)?//[^\s"'`)>]+)""",
    re.IGNORECASE,
)


def our_files(*folders: str) -> Iterator[Path]:
    """Every file of ours that is text, in these top-level folders or, without any, in the whole checkout."""
    for top in sorted(folders or (*TOP_LEVEL, ".ci", ".gitignore")):
        start = CHECKOUT / top
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            if path.is_file() and "__pycache__" not in path.parts and b"\0" not in path.read_bytes()[:8192]:
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def rule_files(folder: str) -> set[str]:
    rules = CHECKOUT / "cylinder_trace" / "judging" / "rules" / folder
    return {path.stem for path in rules.glob("*.py") if path.stem != "__init__"}


def outside_addresses(text: str) -> list[str]:
    """Addresses that a browser would fetch by itself; a link that a person may follow is not one."""
    return [match["address"] for match in LOADS.finditer(text)]


def test_the_top_level_holds_only_what_was_agreed() -> None:
    ignored = [line.rstrip("/") for line in (CHECKOUT / ".gitignore").read_text("utf-8").splitlines() if line]
    found = {
        path.name
        for path in CHECKOUT.iterdir()
        if not path.name.startswith(".") and not any(fnmatch(path.name, pattern) for pattern in ignored)
    }
    strangers = {name for name in found - TOP_LEVEL - LEFT_BY_TOOLS if not name.endswith(".egg-info")}
    assert not strangers, "a line of code finds its room by the questions in README; these have none"
    assert not TOP_LEVEL - found


def test_the_arrows_between_the_rooms_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_has_grown_a_second_subject() -> None:
    code = {".py", ".js", ".css", ".html"}
    lengths = {
        name_of(path): len(path.read_text("utf-8").splitlines())
        for path in our_files(*ROOMS, "wsgi.py")
        if path.suffix in code
    }
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES}


def test_every_module_is_named_after_what_it_is_about() -> None:
    modules = [path for path in our_files(*ROOMS) if path.suffix == ".py"]
    assert not [name_of(path) for path in modules if path.stem.lower() in SAYS_NOTHING]


@pytest.mark.parametrize("folder", RULE_FOLDERS)
def test_every_rule_file_is_listed_under_its_own_name(folder: str) -> None:
    listed = [rule.name for rule in RULE_FOLDERS[folder]]
    assert sorted(listed) == sorted(rule_files(folder))


def test_every_rule_has_cases_and_every_case_file_a_rule() -> None:
    cases = {path.stem for path in (CHECKOUT / "fixtures" / "cases").glob("*.toml")}
    assert cases == set(RULES)


def test_no_file_names_a_machine_or_a_registry() -> None:
    named = [
        f"{name_of(path)}:{number}: {line.strip()[:120]}"
        for path in our_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if any(word in line for word in NOT_OURS_TO_NAME)
    ]
    assert not named


def test_the_pages_and_mails_load_nothing_from_outside() -> None:
    served = [
        path
        for path in our_files("cylinder_trace")
        if {"templates", "static", "drawings"} & set(path.relative_to(CHECKOUT).parts)
    ]
    assert served
    assert not {
        name_of(path): found for path in served if (found := outside_addresses(path.read_text("utf-8")))
    }


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ('<script src="https://cdn.example/a.js"></script>', True),
        ("<link rel=stylesheet href=//cdn.example/a.css>", True),
        ("background: url('http://cdn.example/a.png')", True),
        ('import {x} from "https://cdn.example/x.js"', True),
        ('<svg xmlns="http://www.w3.org/2000/svg">', False),
        ('<a href="https://flk.npc.gov.cn/">特种设备安全法</a>', False),
        ("<img src=\"{{ url_for('static', filename='a.svg') }}\">", False),
    ],
)
def test_what_a_browser_would_fetch_is_told_from_what_a_person_may_follow(text: str, loads: bool) -> None:
    assert bool(outside_addresses(text)) is loads

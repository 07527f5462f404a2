"""Every word a page asks for is there in both languages, and no word is kept that nobody asks for."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from cylinder_trace.contract import event, kinds
from cylinder_trace.contract.event import KINDS, CodeAlias, CylinderMaster
from cylinder_trace.web.pages.operator import ACTIONS
from cylinder_trace.web.wording import WORDS, say

WEB = Path(kinds.__file__).parent.parent / "web"
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((WEB / "templates").glob("*.html"))}
MODULES = {
    path.relative_to(WEB).as_posix(): path.read_text("utf-8")
    for path in sorted(WEB.rglob("*.py"))
    if path.parent.name != "words"
}
SCRIPTS = {path.name: path.read_text("utf-8") for path in sorted((WEB / "static").glob("*.js"))}
STYLES = {path.name: path.read_text("utf-8") for path in sorted((WEB / "static").glob("*.css"))}
ASKED = re.compile(r"""\b(?:t|say)\(\s*f?["']([\w.-]+)["']\s*[,)]""")
MADE = re.compile(r"""\bt\(\s*'([\w-]+\.)' ~|\bsay\(\s*f?["']([\w-]+\.)(?:["'] \+|\{)|\bf["']([\w-]+\.)\{""")
QUOTED = re.compile(r"""["']([\w.-]+)["']""")


def written_out() -> set[str]:
    """Every quoted word of the pages' templates, modules and scripts."""
    return {word for text in [*TEMPLATES.values(), *MODULES.values()] for word in QUOTED.findall(text)}


def families() -> set[str]:
    """Beginnings that pages put the rest of a key to."""
    texts = [*TEMPLATES.values(), *MODULES.values()]
    return {next(filter(None, match)) for text in texts for match in MADE.findall(text)}


@pytest.mark.parametrize("name", [*TEMPLATES, *MODULES])
def test_every_word_that_is_asked_for_exists(name: str) -> None:
    text = TEMPLATES.get(name) or MODULES[name]
    assert not set(ASKED.findall(text)) - set(WORDS)


def test_every_word_is_used() -> None:
    written, made = written_out(), families()
    unused = {
        key
        for key in WORDS
        if key not in written and not any(key.startswith(family) and family != key for family in made)
    }
    assert not unused
    scan = set(re.findall(r"'([\w-]+)'", TEMPLATES["scan.html"])) | set(ACTIONS) | {"check"}
    said = {f"scan.{word}" for word in scan}
    assert {key for key in WORDS if key.startswith("scan.")} <= said | written


def test_every_kind_field_and_code_of_the_contract_has_a_word() -> None:
    assert {key for key in WORDS if key.startswith("kind.")} == {f"kind.{kind}" for kind in KINDS}
    shown_elsewhere = {"kind", "event_id", "occurred_at", "site_id", "corrects", "replaced_by", "cylinder"}
    models: list[Any] = [getattr(event, name) for name in event.__all__ if name[0].isupper()]
    fields = {
        name
        for model in [*models, CylinderMaster]
        if hasattr(model, "model_fields") and model is not CodeAlias
        for name in model.model_fields
    }
    assert {key for key in WORDS if key.startswith("field.")} == {
        f"field.{name}" for name in fields - shown_elsewhere
    }
    codes = get_args(CodeAlias.model_fields["kind"].annotation)
    assert {key for key in WORDS if key.startswith("code.")} == {f"code.{kind}" for kind in codes}


def test_both_languages_fill_in_the_same_facts() -> None:
    braces = re.compile(r"\{(\w+)\}")
    assert not [key for key, (zh, en) in WORDS.items() if set(braces.findall(zh)) != set(braces.findall(en))]


def test_a_word_that_does_not_exist_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(KeyError):
        say("no such word", "zh")


def test_every_class_and_id_of_the_styles_is_used_by_a_page() -> None:
    """A rule for nothing is read by every later reader."""
    served = "\n".join([*TEMPLATES.values(), *SCRIPTS.values(), *MODULES.values()])
    # What is put together from data: severities, statuses, lanes, types of sites.
    made = re.compile(
        r"level\d|s\d|lane-\d|scrapped|filling_station|depot|inspection_agency|arrow(-alarm)?head"
    )
    for name, text in STYLES.items():
        rules = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", text, flags=re.DOTALL)
        marks = set(re.findall(r"[.#]([A-Za-z][\w-]*)", rules))
        unused = {
            mark
            for mark in marks
            if not made.fullmatch(mark) and not re.search(rf"(?<![\w-]){re.escape(mark)}(?![\w-])", served)
        }
        assert not unused, name

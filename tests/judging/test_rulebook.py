"""The README's table of rules is what the program itself says of them."""

from datetime import date
from pathlib import Path

from cylinder_trace.judging.rulebook import table
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.tables import load

README = Path(__file__).parents[2] / "README.md"
ON = date(2026, 11, 24)


def test_the_readme_has_every_rule_as_the_program_prints_them() -> None:
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- rules: cylinder-trace rules -->\n")
    printed, _, _ = rest.partition("<!-- end of rules -->")
    assert printed.strip() == table(load(), ON).strip(), (
        "run: cylinder-trace rules, and put it between the marks"
    )


def test_the_table_names_each_rule_once() -> None:
    lines = table(load(), ON).splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert sorted(named) == sorted(RULES)

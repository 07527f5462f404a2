"""Papers that are signed and served: HTML that stands by itself, for the screen, the printer and, with WeasyPrint, as PDF."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from cylinder_trace.judging.handling.cases import DIRECTIVE, KINDS
from cylinder_trace.law.answers import Names
from cylinder_trace.law.citing import Citation

_MARKS = {DIRECTIVE: "特令", "supervise": "特督", "interview": "特约", "rectify": "特改", "remind": "特函"}


class NoPdf(RuntimeError):
    """No PDF can be made here: what it takes is not installed."""


@dataclass(frozen=True, slots=True)
class Found:
    """One finding as a paper states it; `about` is the cylinder, person or site it is about."""

    title: Names
    about: Names
    fact: Names


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event of the ledger as a paper lists it."""

    event_id: str
    kind: Names
    code: str
    site: str
    occurred: str
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What a paper says. `number` is empty as long as it is a draft; `recheck_days` are working days."""

    kind: str
    number: str
    office: Names
    to: str
    facts: str
    demands: str
    due: date
    dated: date
    issuer: str = ""
    found: Sequence[Found] = ()
    laws: Sequence[Citation] = ()
    evidence: Sequence[Evidence] = ()
    evidence_in_all: int = 0
    is_serious: bool = False
    recheck_days: int = 0
    about_number: str = ""
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", KINDS[self.kind])


def series_of(kind: str, district: str, year: int) -> str:
    """The series that a paper's number counts in: a district's directives, or the city's letters of a kind, of a year."""
    return f"{kind}:{district if kind == DIRECTIVE else 'city'}:{year}"


def number_of(kind: str, district_name: str, year: int, number: int) -> str:
    """A paper's number (文号) as it is quoted."""
    office = f"（{district_name}）" if kind == DIRECTIVE else "（市局）"
    return f"{office}市监{_MARKS[kind]}〔{year}〕{number}号"


def as_html(paper: Paper) -> str:
    """A paper as one HTML document that needs nothing else."""
    template = "directive.html" if paper.kind == DIRECTIVE else "letter.html"
    return _templates().get_template(template).render(paper=paper)


def as_pdf(html: str) -> bytes:
    """The same paper as PDF. Raises NoPdf."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # its own libraries are loaded on import
        raise NoPdf(str(error)) from None

    def nothing_else(url: str, *_: object, **__: object) -> dict[str, object]:
        raise ValueError(f"a paper needs nothing else, and it asks for {url}")

    pdf: bytes = HTML(string=html, url_fetcher=nothing_else).write_pdf()
    return pdf


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("cylinder_trace.exchange"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["day_zh"] = lambda day: f"{day.year}年{day.month}月{day.day}日"
    return made

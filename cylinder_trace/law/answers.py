"""What the law tables answer with, where a row alone would not say it."""

from dataclasses import dataclass
from typing import NamedTuple

from cylinder_trace.law.rows import Row


@dataclass(frozen=True, slots=True)
class ServiceLife:
    """Design life in years, the longest extension, and the years after which there is no more."""

    years: int
    max_extension_years: int
    hard_stop_years: int
    row: Row


@dataclass(frozen=True, slots=True)
class Allowed:
    """Gas mass a cylinder may hold, kg, and the row that says so."""

    value_kg: float
    row: Row


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """An article that a finding stands on; `text` is what it says in our own short words, `penalty` may be empty."""

    id: str
    title_zh: str
    title_en: str
    article: str
    text_zh: str
    text_en: str
    penalty_zh: str
    penalty_en: str


@dataclass(frozen=True, slots=True)
class District:
    """A district, or another addressee of alerts, by the code that answers for it today."""

    adcode: str
    zh: str
    en: str
    is_district: bool


class Names(NamedTuple):
    """What something is called."""

    zh: str
    en: str

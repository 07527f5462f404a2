"""The law tables: read once, refused when a row has a gap, answered as they stood on a day.

Errors::

    LawError
    ├── IncompleteRow    a row lacks a value, unit, day, source, grade or confirmation
    └── NoLawForThat     no row answers the question on that day
"""

import calendar
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

_REQUIRED = {"value": object, "unit": str, "valid_from": date, "source": str, "grade": str, "confirmed": bool}
_FILES = (
    "inspection", "service_life", "filling", "lpg_models", "thresholds", "legal_basis", "supervision", "districts", "media",
    "us_inspection",
)  # fmt: skip
_ANY = "any"


class LawError(LookupError):
    """Something is wrong with the law tables or with a question to them."""


class IncompleteRow(LawError):
    """A row that can not be defended, because what it rests on is missing."""

    def __init__(self, file: str, number: int, column: str) -> None:
        super().__init__(
            f"{file}, row {number}: {column} is missing or of the wrong type; add it, with its source"
        )


class NoLawForThat(LawError):
    """No row answers the question on that day."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a value with its unit, since when it holds, where it is from, and whether that was confirmed.

    Grade A was read in the regulation's own text, B in a secondary source, C is common practice.
    """

    value: Any
    unit: str
    valid_from: date
    source: str
    grade: str
    confirmed: bool
    file: str
    keys: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceLife:
    """Design life, the longest extension, and the years after which there is no more."""

    years: int
    max_extension_years: int
    hard_stop_years: int
    row: Row


@dataclass(frozen=True, slots=True)
class Allowed:
    """Gas mass a cylinder may hold, kg."""

    value_kg: float
    row: Row


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """An article that a finding stands on."""

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
    """A district, or another addressee of alerts, by its code."""

    adcode: str
    zh: str
    en: str
    is_district: bool


class Law:
    """All tables. Days are those of Shanghai; a row holds until the next row of the same key begins."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self._rows = tables
        self._by_key: dict[tuple[str, Any], list[Row]] = defaultdict(list)
        for file, rows in tables.items():
            for row in sorted(rows, key=lambda one: one.valid_from):
                self._by_key[file, _key(file, row)].append(row)
        self._aliases = {
            code: row.keys["key"]
            for row in tables["districts"]
            for code in (row.keys["key"], *row.keys["aliases"])
        }

    def inspection_interval(self, cylinder_class: str, medium: str, on: date) -> Row:
        """Months between inspections; a mixture (`ar+co2`) takes the shortest of its components."""
        rows = []
        for component in medium.split("+"):
            group = self._group(component, on)
            groups = (group, "other") if cylinder_class != "breathing_composite" else ("breathing",)
            found = [self._on("inspection", (cylinder_class, one), on) for one in groups]
            rows += [row for row in found if row][:1]
        if not rows:
            raise NoLawForThat(f"no inspection interval for {cylinder_class} with {medium} on {on}")
        return min(rows, key=lambda row: int(row.value))

    def service_life(self, cylinder_class: str, medium: str, manufactured: date, on: date) -> ServiceLife:
        """Design life of a cylinder made on that day."""
        group = self._group(medium.split("+", maxsplit=1)[0], on)
        for one in (group, _ANY):
            rows = [
                row
                for row in self._rows["service_life"]
                if row.keys["cylinder_class"] == cylinder_class
                and row.keys["medium_group"] == one
                and row.keys["made_from"] <= manufactured
                and row.valid_from <= on
            ]
            if rows:
                row = max(rows, key=lambda row: (row.keys["made_from"], row.valid_from))
                extension, stop = row.keys["max_extension_years"], row.keys["hard_stop_years"]
                return ServiceLife(int(row.value), extension, stop, row)
        raise NoLawForThat(f"no service life for {cylinder_class} with {medium} made {manufactured}")

    def allowed_gas_mass_kg(self, model: str | None, volume_l: float | None, on: date) -> Allowed | None:
        """The model's own mass, else the filling factor times the volume; None where neither is known."""
        row = self._on("lpg_models", model, on) if model else None
        if row is not None:
            return Allowed(float(row.value), row)
        if volume_l is None:
            return None
        factor = self._asked("filling", ("lpg_fill_factor", None), on)
        return Allowed(round(float(factor.value) * volume_l, 3), factor)

    def threshold(self, key: str, on: date) -> Row:
        """A threshold by `rule.parameter`."""
        return self._asked("thresholds", key, on)

    def number(self, key: str, on: date) -> float:
        """A threshold's value."""
        return float(self.threshold(key, on).value)

    def basis(self, basis_id: str) -> LegalBasis:
        """An article by its id, such as `特种设备安全法.49`."""
        rows = self._by_key.get(("legal_basis", basis_id))
        if not rows:
            raise NoLawForThat(f"no legal basis {basis_id}; add it to legal_basis.toml")
        keys = rows[-1].keys
        names = ("title_zh", "title_en", "article", "text_zh", "text_en", "penalty_zh", "penalty_en")
        return LegalBasis(basis_id, *(keys[name] for name in names))

    def district(self, adcode: str) -> District:
        """A district by its code; the code of an abolished one gives its successor."""
        if adcode not in self._aliases:
            raise NoLawForThat(f"no district {adcode}; add it to districts.toml")
        row = self._by_key["districts", self._aliases[adcode]][-1]
        return District(row.keys["key"], row.keys["zh"], row.keys["en"], row.keys["kind"] == "district")

    def districts(self) -> list[District]:
        """All districts and other addressees."""
        return [self.district(row.keys["key"]) for row in self._rows["districts"]]

    def medium(self, code: str) -> tuple[str, str]:
        """A medium's name in Chinese and English; an unknown code names itself."""
        rows = self._by_key.get(("media", code))
        return (rows[-1].keys["zh"], rows[-1].keys["en"]) if rows else (code, code)

    def unconfirmed(self) -> list[Row]:
        """Rows to be shown as 未经核实 wherever they are used."""
        return [row for rows in self._rows.values() for row in rows if not row.confirmed]

    def _group(self, medium: str, on: date) -> str:
        row = self._on("media", medium, on)
        return str(row.value) if row else "other"

    def _asked(self, file: str, key: Any, on: date) -> Row:
        row = self._on(file, key, on)
        if row is None:
            raise NoLawForThat(f"{file}.toml has no row {key} that holds on {on}")
        return row

    def _on(self, file: str, key: Any, on: date) -> Row | None:
        held = [row for row in self._by_key.get((file, key), ()) if row.valid_from <= on]
        return held[-1] if held else None


def load(directory: Path | None = None) -> Law:
    """Read the tables from a directory, or the ones we ship. Raises IncompleteRow."""
    return _shipped() if directory is None else _read(directory)


def life_end(manufactured: date, years: int) -> date:
    """The last day of a life: a stamp gives year and month, so it is good through that month."""
    year = manufactured.year + years
    return date(year, manufactured.month, calendar.monthrange(year, manufactured.month)[1])


@cache
def _shipped() -> Law:
    return _read(resources.files(__package__))


def _read(directory: Any) -> Law:
    tables = {}
    for name in _FILES:
        file = f"{name}.toml"
        found = tomllib.loads((directory / file).read_text(encoding="utf-8")).get("row", [])
        tables[name] = [_row(file, number, columns) for number, columns in enumerate(found, start=1)]
    return Law(tables)


def _row(file: str, number: int, columns: dict[str, Any]) -> Row:
    for name, kind in _REQUIRED.items():
        if not isinstance(columns.get(name), kind) or columns[name] == "":
            raise IncompleteRow(file, number, name)
    if columns["grade"] not in {"A", "B", "C"}:
        raise IncompleteRow(file, number, "grade (A, B or C)")
    keys = {name: value for name, value in columns.items() if name not in _REQUIRED}
    return Row(**{name: columns[name] for name in _REQUIRED}, file=file, keys=keys)


def _key(file: str, row: Row) -> Any:
    keys = row.keys
    if file == "inspection":
        return keys["cylinder_class"], keys["medium_group"]
    if file == "filling":
        return keys["key"], keys.get("model")
    if file == "lpg_models":
        return keys["model"]
    return keys.get("key", keys.get("specification"))

"""The law tables: read once, refused where a row has a gap, answered as they stood on a day (of Shanghai)."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from cylinder_trace.law.answers import Allowed, District, LegalBasis, Names, ServiceLife
from cylinder_trace.law.errors import LawError, NoLawForThat
from cylinder_trace.law.rows import Dated, Row, Shape, read_rows

__all__ = [
    "Allowed",
    "District",
    "Law",
    "LawError",
    "LegalBasis",
    "Names",
    "NoLawForThat",
    "Row",
    "ServiceLife",
    "life_end",
    "load",
]

_NAMES = {"zh": "text", "en": "text"}
_SHAPES = {
    shape.table: shape
    for shape in (
        Shape("classes", "text", {"code": "text"}, _NAMES),
        Shape("districts", "text", {"adcode": "text"}, {"kind": "text", **_NAMES}),
        Shape("filling", "number", {"key": "text"}, _NAMES),
        Shape("holidays", "text", {"first": "day"}, {"last": "day", **_NAMES}),
        Shape("inspection", "number", {"cylinder_class": "text", "medium_group": "text"}),
        Shape(
            "legal_basis",
            "text",
            {"id": "text"},
            dict.fromkeys(("title_zh", "title_en", "says_zh", "says_en"), "text"),
            dict.fromkeys(("penalty_zh", "penalty_en", "items_zh", "items_en"), "text"),
        ),
        Shape("lpg_models", "number", {"model": "text"}, {"volume_l": "number"}),
        Shape("media", "texts", {"code": "text"}, _NAMES),
        Shape(
            "service_life",
            "number",
            {"cylinder_class": "text", "medium_group": "text", "use": "text", "made_from": "day"},
            {},
            {"max_extension_years": "number", "hard_stop_years": "number"},
        ),
        Shape("supervision", "number", {"key": "text"}, _NAMES),
        Shape("thresholds", "number", {"key": "text"}, _NAMES),
        Shape("us_inspection", "number", {"specification": "text", "condition": "text"}),
    )
}
_NUMBERS = ("thresholds", "filling", "supervision")


class Law:
    """All tables. A row holds until the day before the next row of its key."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        """Raises DoubledRow where two rows answer the same question from the same day."""
        self._rows = rows
        self._tables = {name: _dated(f"{name}.toml", rows[name], _SHAPES[name].key) for name in _SHAPES}
        numbers = [row for name in _NUMBERS for row in rows[name]]
        self._numbers = _dated("thresholds.toml", numbers, {"key": "text"})
        self._known_lives: dict[tuple[str, str, date], list[tuple[date, ServiceLife]]] = {}
        # The newest first, so that the first row that fits is the one that holds.
        self._lives: dict[tuple[str, str], list[ServiceLife]] = defaultdict(list)
        newest_first = sorted(
            rows["service_life"], key=lambda row: (row.columns["made_from"], row.valid_from), reverse=True
        )
        for row in newest_first:
            if row.text("use") == "any":
                self._lives[row.text("cylinder_class"), row.text("medium_group")].append(_life(row))

    def inspection_interval(self, cylinder_class: str, medium: str, on: date) -> Row:
        """Months between inspections; a mixture (`ar+co2`) takes the shortest of its components.

        Raises NoLawForThat, also for a medium without a row: it may be corrosive, so `other` would be too long.
        """
        components = medium.split("+")
        return min(
            (self._interval(cylinder_class, one, on) for one in components), key=lambda row: row.amount
        )

    def service_life(self, cylinder_class: str, medium: str, manufactured: date, on: date) -> ServiceLife:
        """Design life of a cylinder made on that day. Raises NoLawForThat."""
        asked = cylinder_class, medium, on
        if asked not in self._known_lives:
            self._known_lives[asked] = list(self._lives_on(cylinder_class, medium, on))
        for made_from, life in self._known_lives[asked]:
            if made_from <= manufactured:
                return life
        raise NoLawForThat(
            "service_life.toml", f"{cylinder_class} / {medium}", on, f"none for one made {manufactured}"
        )

    def allowed_gas_mass_kg(self, model: str | None, volume_l: float | None, on: date) -> Allowed | None:
        """The LPG model's own mass, else the fill factor times the volume; None where neither is known."""
        row = self._tables["lpg_models"].find((model,), on) if model else None
        if row is not None:
            return Allowed(row.amount, row)
        if volume_l is None:
            return None
        factor = self.threshold("filling.lpg_factor_kg_per_l", on)
        return Allowed(round(factor.amount * volume_l, 3), factor)

    def threshold(self, key: str, on: date) -> Row:
        """A threshold, tolerance or term by `rule.parameter`. Raises NoLawForThat."""
        return self._numbers.get((key,), on)

    def number(self, key: str, on: date) -> float:
        """A threshold's value."""
        return self.threshold(key, on).amount

    def number_keys(self) -> list[str]:
        """The keys `number` knows, sorted."""
        return sorted({str(key) for (key,) in list(self._numbers.keys())})

    def with_numbers(self, changes: Mapping[str, float]) -> "Law":
        """A copy of the tables in which these thresholds have another value on every day; the original stays as it is.

        A changed row is not confirmed, and names a trial as its source. Raises NoLawForThat for a key that is not there,
        naming the keys of the same rule.
        """
        known = self.number_keys()
        for key in changes:
            if key not in known:
                rule = key.split(".")[0]
                alike = [one for one in known if one.split(".")[0] == rule]
                rules = sorted({one.split(".")[0] for one in known})
                of = ", ".join(alike) if alike else "those of " + ", ".join(rules)
                raise NoLawForThat("thresholds.toml", key, None, f"known are {of}")
        rows = {
            table: [_tried(row, changes) if table in _NUMBERS else row for row in its]
            for table, its in self._rows.items()
        }
        return Law(rows)

    def basis(self, basis_id: str) -> LegalBasis:
        """An article by its id, such as `特种设备安全法.49`. Raises NoLawForThat."""
        row = self._tables["legal_basis"].latest((basis_id,))
        said = [row.text(name) for name in ("says_zh", "says_en")]
        penalty = [str(row.columns.get(name, "")) for name in ("penalty_zh", "penalty_en")]
        return LegalBasis(
            basis_id, row.text("title_zh"), row.text("title_en"), str(row.value), *said, *penalty
        )

    def district(self, adcode: str) -> District:
        """A district by its code; the code of an abolished one gives its successor. Raises NoLawForThat."""
        table = self._tables["districts"]
        row = table.latest((str(table.latest((adcode,)).value),))
        return District(row.text("adcode"), row.text("zh"), row.text("en"), row.text("kind") == "district")

    def districts(self) -> list[District]:
        """All districts and other addressees that exist today."""
        return [
            self.district(row.text("adcode"))
            for row in self._rows["districts"]
            if row.text("kind") != "abolished"
        ]

    def medium(self, code: str) -> Names:
        """A medium's name; a mixture's is made of its components', a code the table does not have names itself."""
        if "+" in code:
            names = [self.medium(one) for one in code.split("+")]
            return Names("+".join(zh for zh, _ in names), "+".join(en for _, en in names))
        return self._named("media", code)

    def cylinder_class(self, code: str) -> Names:
        """A class of cylinder; a code the table does not have names itself."""
        return self._named("classes", code)

    def unconfirmed(self) -> list[Row]:
        """Rows to be shown as 未经核实 wherever they are used."""
        return [row for rows in self._rows.values() for row in rows if not row.confirmed]

    def rows(self) -> list[Row]:
        """Every row of every table."""
        return [row for rows in self._rows.values() for row in rows]

    def _interval(self, cylinder_class: str, medium: str, on: date) -> Row:
        self._tables["media"].get((medium,), on)
        table, judged_as = self._tables["inspection"], self._judged_as(cylinder_class, on)
        for group in (*self._groups(medium, on), "other", "any"):
            if row := table.find((judged_as, group), on):
                return row
        return table.get((cylinder_class, medium), on)

    def _lives_on(self, cylinder_class: str, medium: str, on: date) -> Iterator[tuple[date, ServiceLife]]:
        """The lives known on a day, each with the first day of making it is for: the first that fits holds."""
        judged_as = self._judged_as(cylinder_class, on)
        for group in (*(group for one in medium.split("+") for group in self._groups(one, on)), "any"):
            for life in self._lives.get((judged_as, group), ()):
                if life.row.valid_from <= on:
                    yield life.row.columns["made_from"], life

    def _judged_as(self, cylinder_class: str, on: date) -> str:
        """The class whose rows hold for this one: a mixture's shell has none of its own."""
        return str(self._tables["classes"].get((cylinder_class,), on).value)

    def _groups(self, medium: str, on: date) -> tuple[str, ...]:
        row = self._tables["media"].find((medium,), on)
        return row.value if row and isinstance(row.value, tuple) else ()

    def _named(self, table: str, code: str) -> Names:
        try:
            row = self._tables[table].latest((code,))
        except NoLawForThat:
            return Names(code, code)
        return Names(row.text("zh"), row.text("en"))


def load(directory: Path | None = None) -> Law:
    """Read the tables of a directory, or the ones that are shipped. Raises a LawError that names file and row."""
    return _shipped() if directory is None else _read(directory)


def life_end(manufactured: date, years: int) -> date:
    """The last day of a life: a stamp gives year and month, so it is good through that month."""
    year = manufactured.year + years
    return date(year, manufactured.month, calendar.monthrange(year, manufactured.month)[1])


def _tried(row: Row, changes: Mapping[str, float]) -> Row:
    key = row.text("key")
    if key not in changes:
        return row
    return replace(row, value=changes[key], source="试算 / a trial", grade="C", confirmed=False)


def _life(row: Row) -> ServiceLife:
    years, columns = int(row.amount), row.columns
    return ServiceLife(
        years, columns.get("max_extension_years", 0), columns.get("hard_stop_years", years), row
    )


@cache
def _shipped() -> Law:
    return _read(resources.files("cylinder_trace.law"))


def _read(directory: Traversable | Path) -> Law:
    return Law({name: read_rows(directory, shape) for name, shape in _SHAPES.items()})


def _dated(file: str, rows: Iterable[Row], columns: Iterable[str]) -> Dated:
    names = tuple(columns)
    return Dated(file, ((tuple(row.columns[name] for name in names), row) for row in rows))

"""How a provision is cited: one form for mails, pages and verdicts, which says so where it is not confirmed."""

from dataclasses import dataclass

from cylinder_trace.law.rows import Row
from cylinder_trace.law.tables import Law

UNCONFIRMED = ("（未经核实）", " (not confirmed)")
"""What follows anything that rests on a row nobody has confirmed."""

_SHARES = {"share", "probability"}
"""Units of numbers that are read as per cent."""
_UNITS_ZH = {
    "d": "天",
    "h": "小时",
    "min": "分钟",
    "s": "秒",
    "times": "次",
    "cylinders": "只",
    "fills": "次充装",
    "events": "条记录",
    "scans": "次扫码",
    "deliveries": "次配送",
    "inspections": "次检验",
    "customers": "户",
    "sigma": "倍标准差",
    "MAD": "倍绝对中位差",
    "t": "（t 值）",
    "points": "分",
}
_DIGITS = "〇一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Citation:
    """A provision as a penalty file names it, `zh` and `en`; the texts are our own short words and no quotation.

    `note_zh` is what a reader should know before relying on it; empty where there is nothing.
    """

    id: str
    zh: str
    en: str
    text_zh: str = ""
    text_en: str = ""
    penalty_zh: str = ""
    penalty_en: str = ""
    note_zh: str = ""
    confirmed: bool = False


def cited(law: Law, basis_id: str) -> Citation:
    """The citation of a row of `legal_basis`. An id the table does not have is cited as it is, as not confirmed."""
    rows = [row for row in law.rows() if row.table == "legal_basis" and row.columns["id"] == basis_id]
    if not rows:
        return Citation(basis_id, basis_id + UNCONFIRMED[0], basis_id + UNCONFIRMED[1])
    row = max(rows, key=lambda one: one.valid_from)
    marks = ("", "") if row.confirmed else UNCONFIRMED
    return Citation(
        id=basis_id,
        zh=row.text("title_zh") + _place_zh(row) + marks[0],
        en=row.text("title_en") + _place_en(row) + marks[1],
        text_zh=row.text("says_zh"),
        text_en=row.text("says_en"),
        penalty_zh=str(row.columns.get("penalty_zh", "")),
        penalty_en=str(row.columns.get("penalty_en", "")),
        note_zh=row.note or "",
        confirmed=row.confirmed,
    )


def values_used(law: Law, rule: str) -> list[Row]:
    """The numbers of the law tables that a rule measures by: those whose key begins with its name.

    Not how long its notice waits for late scans (`grace_h`): that changes when one hears of it, not what is found.
    """
    latest: dict[str, Row] = {}
    for row in sorted(law.rows(), key=lambda one: one.valid_from):
        key = str(row.columns.get("key", ""))
        if key.startswith(f"{rule}.") and not key.endswith(".grace_h"):
            latest[row.text("key")] = row
    return list(latest.values())


def amount(row: Row) -> tuple[str, str]:
    """A row's value with its unit, in Chinese and in English; without a word where it is not confirmed."""
    if row.unit in _SHARES and isinstance(row.value, int | float):
        percent = f"{round(row.value * 100, 6):g}"
        return f"{percent}%", f"{percent} %"
    return f"{row.value} {_UNITS_ZH.get(row.unit, row.unit)}", f"{row.value} {row.unit}"


def _place_zh(row: Row) -> str:
    value = str(row.value)
    if _is_whole_text(row):
        return ""
    if not value.isdigit():
        # A clause of a technical code, such as D2.1, is not an article.
        return value if row.text("title_zh").endswith("）") else f" {value}"
    return f"第{numeral(int(value))}条{row.columns.get('items_zh', '')}"


def _place_en(row: Row) -> str:
    value = str(row.value)
    if _is_whole_text(row):
        return ""
    article = "art. " if value.isdigit() else ""
    return f", {article}{value}{row.columns.get('items_en', '')}"


def _is_whole_text(row: Row) -> bool:
    return row.unit != "article" or str(row.value) in row.text("title_zh")


def numeral(number: int) -> str:
    """A number from 1 to 999 as statutes write it: 10 十, 18 十八, 62 六十二, 105 一百零五."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        words += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        words += "零"
    return words + (_DIGITS[ones] if ones else "")

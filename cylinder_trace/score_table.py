"""A score as a table for a terminal, its columns aligned where Chinese characters take two places."""

import unicodedata
from collections.abc import Iterator

from cylinder_trace.scoring import Score

_COLUMNS = {
    "planted": "planted",
    "found": "found",
    "true": "true",
    "false": "false",
    "told_false": "told-f.",
    "aside": "aside",
    "unscanned": "unscan.",
    "recall": "recall",
    "precision": "prec.",
    "precision_told": "p.told",
    "f1": "F1",
    "open_h": "open h",
    "told_h": "told h",
    "since_begun_d": "days",
    "lookalikes": "alike",
    "alarmed": "alarmed",
}
_NAMES = {
    "macro_f1": "宏平均 F1 / macro-F1",
    "alerts_per_1000_and_day": "每千瓶日预警 / alerts per 1,000 cylinders and day",
    "false_per_1000_and_day": "每千瓶日误报 / false alarms per 1,000 cylinders and day",
    "false_by_missed_scans_per_1000_and_day": "其中漏扫所致 / of these explained by a missed scan",
    "withdrawn_share": "撤回比例 / withdrawn share",
    "told_then_withdrawn_per_1000_and_day": "每千瓶日先通知后撤回 / told, then withdrawn, per 1,000 and day",
    "lookalikes_alarmed_share": "合法相似情形误报率 / lawful look-alikes alarmed at the end",
    "cylinders": "气瓶 / cylinders",
    "days": "天数 / days",
    "lookalikes": "合法相似情形 / lawful look-alikes",
}

_SAID = {
    "planted, found": ("埋设的违规；其中被指出的", "faults planted; those of them that were pointed out"),
    "true": ("指出了埋设的违规的预警", "alerts that point out a planted fault"),
    "false": (
        "误报：期末仍在、与任何埋设不符",
        "false alarms: they stand at the end and fit nothing planted",
    ),
    "told-f.": ("误报：通知过，后又收回", "false alarms that people were told of and that were taken back"),
    "aside": (
        "由另一种埋设的违规引起，不计对错",
        "caused by a planted fault of another kind; neither for nor against",
    ),
    "unscan.": ("误报中由漏扫所致的", "of the false ones, those that a scan nobody made explains"),
    "recall": ("查全率 = found / planted", "1 where nothing was overlooked"),
    "prec.": ("查准率 = true / (true + false)", "1 where there was no false alarm"),
    "p.told": ("同上，收回的通知也算误报", "the same, with what was told and taken back counted as false"),
    "F1": (
        "查全、查准的调和平均；宏平均 F1 是各类之平均",
        "harmonic mean of both; macro-F1 is its mean over kinds",
    ),
    "open h, told h": (
        "从事实到预警、到首次通知的小时数（中位）",
        "median hours from the fact to the alert, to the notice",
    ),
    "days": (
        "从违规第一步到预警的天数（中位）",
        "days from the first step of the fault to the alert (median)",
    ),
    "alike, alarmed": (
        "埋设的合法相似情形；其中期末误报的",
        "lawful look-alikes planted; those of them alarmed at the end",
    ),
    "撤回 withdrawn": ("晚到的记录说明了情况的预警", "an alert that a late record explained"),
}


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


LEGEND = "\n".join(
    [
        "各栏 The columns",
        *(f"  {name}{' ' * (16 - _width(name))}{zh} / {en}" for name, (zh, en) in _SAID.items()),
    ]
)
"""What the columns of the table mean."""


def table(score: Score) -> Iterator[str]:
    """The lines: one for each kind, then the totals."""
    kinds = {name: kind.as_json() for name, kind in sorted(score.kinds.items())}
    titles = {name: f"{its['zh']} {its['en']}" for name, its in kinds.items()}
    widest = max((_width(one) for one in titles.values()), default=0)
    longest = max((len(name) for name in kinds), default=0)
    heads = " ".join(f"{head:>7}" for head in _COLUMNS.values())
    yield f"{'kind':{longest}} {' ' * widest} {heads}"
    for name, its in kinds.items():
        title = titles[name] + " " * (widest - _width(titles[name]))
        yield f"{name:{longest}} {title} " + " ".join(f"{_said(its[one]):>7}" for one in _COLUMNS)
    yield ""
    longest = max(_width(name) for name in _NAMES.values())
    for key, name in _NAMES.items():
        yield f"{name}{' ' * (longest - _width(name))} {_said(score.totals[key]):>10}"


def _said(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"

"""Finds a fill above what the cylinder may hold, beyond the tolerance of scale or gauge (超装).

Why it matters: liquid gas without room to expand bursts a bottle on a warm day.
Example: YSP35.5 holds 14.9 kg; 15.2 kg lies within the scale's 0.3 kg, 15.3 kg does not. Where the scale gives gross, the
registered tare counts beside the one that was said, and the larger amount of the two.
Source: 特种设备安全法 art. 49; law/lpg_models.toml and thresholds overfill.*.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    tare = ("", "")
    net_g, tare_g = scan.net_g, before.tare_g
    if scan.gross_g is not None and tare_g is not None and scan.gross_g - tare_g > (net_g or 0):
        # A heavier empty weight than the register's would hide what is too much.
        net_g = scan.gross_g - tare_g
        tare = f"（按登记皮重 {tare_g / 1000:g} kg）", f" (by the registered tare of {tare_g / 1000:g} kg)"
    if before.allowed_g is not None and net_g is not None:
        tolerance = round(reference.number("overfill.mass_tolerance_kg", scan.at_ms) * 1000)
        filled, allowed, unit = net_g, before.allowed_g, "kg"
    elif before.working_kpa is not None and scan.pressure_kpa is not None:
        tolerance = round(reference.number("overfill.pressure_tolerance_mpa", scan.at_ms) * 1000)
        filled, allowed, unit = scan.pressure_kpa, before.working_kpa, "MPa"
    else:
        return None
    if filled <= allowed + tolerance:
        return None
    facts: dict[str, Fact] = {
        "filled": filled / 1000,
        "allowed": allowed / 1000,
        "tolerance": tolerance / 1000,
        "unit": unit,
        "tare_zh": tare[0],
        "tare_en": tare[1],
    }
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="overfill",
    severity=1,
    laws=("特种设备安全法.49", "特种设备安全法.85"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要继续充装；复核空瓶重、残液和秤，仍超的抽出多余部分。",
        "Do not go on; check the empty weight, what was left in it and the scale, and take out the excess.",
    ),
    words=Wording(
        title=(
            "超装",
            "Overfilled",
        ),
        fact=(
            "充装 {filled} {unit}{tare_zh}，允许 {allowed} {unit}（允差 {tolerance} {unit}）。",
            "Filled {filled} {unit}{tare_en}; {allowed} {unit} allowed (tolerance {tolerance} {unit}).",
        ),
        remedy=(
            "立即追回并抽出超装介质，校准秤或压力表。",
            "Recall it, take out the excess, calibrate the scale or gauge.",
        ),
        innocent=(
            "秤未去皮、残气未计、单位录入错误，或登记皮重有误。",
            "The scale was not tared, residual gas was counted, the unit was wrong, or the registered tare is.",
        ),
        settles=(
            "该次充装的秤重原始记录。",
            "The scale's own record of this fill.",
        ),
    ),
)

"""The verdict without the server: what its last signed snapshot foresaw, and how old that is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.snapshot import SNAPSHOT_PATH, SnapshotEntry
from cylinder_trace.contract.verdict import Reason, Verdict
from scanner.keys import DeviceKey
from scanner.newest import beside
from scanner.said import ago
from scanner.server import Server
from scanner.snapshot import Found, SnapshotFile, SnapshotRefused

LONGEST_AGE_H = 24.0
"""A snapshot older than this answers nothing but that a person must look."""
_CLOCK_TOLERANCE_MS = 5 * 60_000
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """A verdict from the snapshot, and how long ago the server last spoke for it."""

    verdict: Verdict
    age_ms: int


class NoSnapshot(Exception):
    """The server gave no page; the message is its answer."""


def opened(key: DeviceKey, path: Path) -> SnapshotFile:
    """The snapshot of a device's station. Raises SnapshotError, also for a key file that does not know the server."""
    if key.server_key is None:
        raise SnapshotRefused(
            "this key file was made before there were snapshots and does not know the server's key;"
            " enrol the device again with a new id / 密钥文件中没有服务器公钥，请重新登记设备"
        )
    return SnapshotFile(path, station=key.site_id, server_key=key.server_key, newest=beside(key.path))


def fetched(server: Server, file: SnapshotFile, told: Callable[[int], object] = lambda _: None) -> int:
    """Fetch what the station lacks, page by page; gives how many entries came, and tells it after each page.

    What is interrupted goes on from its last page. Raises NoSnapshot, Unreachable, and SnapshotRefused.
    """
    entries = 0
    while True:
        cursor = file.cursor
        reply = server.get(SNAPSHOT_PATH + ("?" + urlencode({"cursor": cursor}) if cursor else ""))
        if reply.status != 200:
            raise NoSnapshot(str(reply))
        page = file.take(reply.body)
        entries += len(page.entries)
        told(entries)
        if not page.more:
            return entries


def answered(
    file: SnapshotFile, code: str, medium: str, now_ms: int, longest_age_h: float = LONGEST_AGE_H
) -> OfflineVerdict | None:
    """What the snapshot says of filling a cylinder now; None where there is none. Raises SnapshotRefused."""
    found = file.find(code, now_ms)
    if found is None:
        return None
    age_ms = max(0, now_ms - found.fresh_ms)
    doubt = _doubt(found, age_ms, now_ms, longest_age_h)
    decision, reasons = _foreseen(found.entry, found, medium, now_ms) if found.entry else ("ASK", ())
    if doubt is not None:
        # What it knew is still worth reading, and no reason to go on.
        decision, reasons = "ASK", (doubt, *reasons)
    verdict = Verdict.model_validate(
        {
            "decision": decision,
            "cylinder_code": code,
            "reasons": reasons,
            "judged_at": moment_of(found.fresh_ms),
        }
    )
    return OfflineVerdict(verdict, age_ms)


def _foreseen(entry: SnapshotEntry, found: Found, medium: str, now_ms: int) -> tuple[str, tuple[Reason, ...]]:
    begun = [step for step in entry.steps if epoch_ms(step.since) <= now_ms]
    step = begun[-1] if begun else entry.steps[0]
    if found.page is None or entry.medium is None or entry.medium == medium:
        return step.decision, step.reasons
    return "STOP", (found.page.other_medium, *step.reasons)


def _doubt(found: Found, age_ms: int, now_ms: int, longest_age_h: float) -> Reason | None:
    """Why the snapshot does not answer by itself; None where it does."""
    known_ms = max(found.fresh_ms, found.seen_ms)
    if now_ms < known_ms - _CLOCK_TOLERANCE_MS:
        since = moment_of(known_ms).astimezone().strftime("%Y-%m-%d %H:%M")
        return _reason(
            "snapshot_clock",
            ("本机时钟不可信", "The clock can not be right"),
            (
                f"本机时钟早于 {since}，离线数据的新旧无法判断。",
                f"It is set before {since}; how old the data is can not be told.",
            ),
            ("校准本机时钟，人工核对后再定。", "Set the clock, and look at the cylinder before you decide."),
        )
    too_old = age_ms > longest_age_h * _HOUR_MS
    if too_old or (found.page is not None and now_ms > epoch_ms(found.page.good_until)):
        ago_zh, ago_en = ago(age_ms)
        return _reason(
            "snapshot_too_old",
            ("离线数据过旧", "The data on this device is too old"),
            (f"离线数据更新于{ago_zh}，不足为凭。", f"It was brought up to date {ago_en}."),
            (
                "联网更新离线数据；在此之前人工核对。",
                "Fetch it anew when the network is back; until then look by hand.",
            ),
        )
    if found.entry is None:
        return _reason(
            "snapshot_unknown",
            ("离线数据中没有该瓶", "The data on this device does not have this cylinder"),
            (
                "该瓶不属于本单位，也未到过本站，或登记较晚。",
                "It is not the firm's and was never here, or was registered since.",
            ),
            (
                "联网后再查；急用时核对钢印、登记证和检验标记。",
                "Ask when the network is back; else compare stamp, papers and inspection mark.",
            ),
        )
    return None


def _reason(rule: str, title: tuple[str, str], fact: tuple[str, str], remedy: tuple[str, str]) -> Reason:
    return Reason(
        rule=rule,
        title_zh=title[0],
        title_en=title[1],
        fact_zh=fact[0],
        fact_en=fact[1],
        remedy_zh=remedy[0],
        remedy_en=remedy[1],
    )

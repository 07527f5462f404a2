"""What a person reads: the outbox and a verdict in Chinese and in English."""

from datetime import datetime
from typing import Any

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.verdict import Verdict
from scanner.outbox import Status

_DECISIONS = {
    "PASS": ("✔ 可以充装", "PASS: may be filled"),
    "ASK": ("？ 请先核实", "ASK: a person must look first"),
    "STOP": ("✘ 禁止充装", "STOP: must not be filled"),
}
_IN_DAYS_H = 48
"""From so many hours on people count in days."""

HOW_TO_LET_GO = (
    "确需放行的，写明原因和姓名重新提交（将登记并报告）：--reason 原因 --approved-by 姓名 --outbox 文件"
    " / To let it go on, say why and who: --reason TEXT --approved-by NAME --outbox FILE (recorded and reported)"
)


def status_text(status: Status) -> str:
    """Several lines, Chinese first; times in the machine's own zone."""
    zh = [
        f"设备 {status.device_id}",
        f"  待上传 {status.waiting} 条，已入账 {status.stored} 条，被退回 {status.refused} 条",
    ]
    en = [
        f"Device {status.device_id}",
        f"  waiting {status.waiting}, stored {status.stored}, refused {status.refused}",
    ]
    if status.oldest_waiting_ms is not None:
        zh.append(f"  最早一条待上传记录：{_local(status.oldest_waiting_ms)}")
        en.append(f"  oldest waiting: {_local(status.oldest_waiting_ms)}")
    last = None if status.last_upload_ms is None else _local(status.last_upload_ms)
    zh.append(f"  最近一次上传：{last or '尚未上传'}")
    en.append(f"  last upload: {last or 'never'}")
    if status.last_error is not None and status.last_error_ms is not None:
        zh.append(f"  最近一次错误（{_local(status.last_error_ms)}）：{status.last_error}")
        en.append(f"  last error ({_local(status.last_error_ms)}): {status.last_error}")
    if status.clock_offset_ms is not None:
        zh.append(f"  本机时钟与服务器相差 {status.clock_offset_ms / 1000:+.1f} 秒")
        en.append(f"  this clock minus the server's: {status.clock_offset_ms / 1000:+.1f} s")
    if status.tray:
        zh.append("  被退回的记录（请按原因更正后重新录入）：")
        en.append("  refused (correct what is said and enter it again):")
    for one in status.tray:
        facts = f"    #{one.device_seq} {one.kind} {one.cylinder_code or '-'} [{one.reason}]"
        zh.append(f"{facts} {one.zh}")
        en.append(f"{facts} {one.en}")
    return "\n".join([*zh, "", *en])


def status_facts(status: Status) -> dict[str, Any]:
    """The same as a JSON object; times in UTC."""
    return {
        "device_id": status.device_id,
        "waiting": status.waiting,
        "stored": status.stored,
        "refused": status.refused,
        "oldest_waiting": _utc(status.oldest_waiting_ms),
        "last_upload": _utc(status.last_upload_ms),
        "last_error": status.last_error,
        "last_error_at": _utc(status.last_error_ms),
        "clock_offset_ms": status.clock_offset_ms,
        "tray": [
            {
                "device_seq": one.device_seq,
                "event_id": one.event_id,
                "kind": one.kind,
                "cylinder_code": one.cylinder_code,
                "reason": {"code": one.reason, "zh": one.zh, "en": one.en},
            }
            for one in status.tray
        ],
    }


def verdict_text(verdict: Verdict, age_ms: int | None = None) -> str:
    """The decision, then each reason with its law and what to do; Chinese first.

    With the age of the data where it came from the snapshot.
    """
    decision_zh, decision_en = _DECISIONS[verdict.decision]
    zh, en = [f"{decision_zh}  {verdict.cylinder_code}"], [f"{decision_en}  {verdict.cylinder_code}"]
    if age_ms is not None:
        ago_zh, ago_en = ago(age_ms)
        zh.append(f"  离线结论：服务器未应答，数据更新于{ago_zh}；此后的扫码未计入。")
        en.append(
            f"  offline: the server did not answer; data brought up to date {ago_en}, no scan since counts"
        )
    for reason in verdict.reasons:
        # A server of before the citations sends their ids only.
        law_zh, law_en = reason.law_zh or reason.law, reason.law_en or reason.law
        law = f"（{'；'.join(law_zh)}）" if law_zh else ""
        zh += [f"  {reason.title_zh}：{reason.fact_zh}{law}", f"    怎么办：{reason.remedy_zh}"]
        law = f" ({'; '.join(law_en)})" if law_en else ""
        en += [f"  {reason.title_en}: {reason.fact_en}{law}", f"    do: {reason.remedy_en}"]
    return "\n".join([*zh, "", *en])


def ago(age_ms: int) -> tuple[str, str]:
    """How long ago, as people say it: to the minute within two days, then in days."""
    hours, minutes = divmod(age_ms // 60_000, 60)
    if hours >= _IN_DAYS_H:
        return f" {hours // 24} 天前", f"{hours // 24} days ago"
    if hours:
        return f" {hours} 小时 {minutes} 分前", f"{hours} h {minutes} min ago"
    return (f" {minutes} 分钟前", f"{minutes} min ago") if minutes else ("刚刚", "just now")


def _local(ms: int) -> str:
    return f"{_zoned(ms):%Y-%m-%d %H:%M:%S}"


def _zoned(ms: int) -> datetime:
    return moment_of(ms).astimezone()


def _utc(ms: int | None) -> str | None:
    return None if ms is None else moment_of(ms).isoformat(timespec="milliseconds")

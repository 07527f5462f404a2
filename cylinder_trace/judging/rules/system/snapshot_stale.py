"""Finds stations whose verdicts for off-line hours are old (离线快照过期).

Why it matters: once off line, a station with an old snapshot gets no verdict, and fills unasked.
Example: a station that fetched its snapshot every hour has not done so for three days.
Source: threshold snapshot_stale.after_h. Stations that never fetched one are not meant. One alert a station.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local


def find(state: SystemState, reference: Reference) -> Iterator[Finding]:
    old_ms = reference.number("snapshot_stale.after_h", state.at_ms) * HOUR_MS
    for one in state.snapshots:
        if state.at_ms - one.fetched_ms > old_ms and reference.licences_in_force(one.station, state.at_ms):
            since = local(one.fetched_ms)
            yield about(
                RULE.name, one.station, one.fetched_ms, site=one.station, station=one.station, since=since
            )


RULE = SystemRule(
    name="snapshot_stale",
    severity=3,
    laws=(),
    find=find,
    words=Wording(
        title=("离线快照过期", "Snapshot stale"),
        fact=(
            "{station} 最近一次取离线快照是 {since}。",
            "{station} last fetched its snapshot at {since}.",
        ),
        remedy=(
            "联系该站，检查 cylinder-scan snapshot 的定时任务与网络。",
            "Call the station; check its network and that cylinder-scan snapshot runs on a timetable.",
        ),
        innocent=("停业，或该站改为一直在线。", "The station is closed, or now works on line only."),
        settles=("该站计算机上快照文件的日期。", "The date of the snapshot on the station's computer."),
    ),
)

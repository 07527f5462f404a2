"""What a wrong clock leaves in a device's scans."""

from collections.abc import Sequence

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS, MINUTE_MS, Scan


def steadily_behind(scans: Sequence[Scan], reference: Reference) -> list[Scan]:
    """Those of a device's scans of one day, in order, that all came late by nearly the same time over some hours.

    A device that was cut off sends late too, but by a different time each scan; a clock that was set back writes onto a
    day on which it had been right.
    """
    if not scans:
        return []
    at_ms = scans[0].at_ms
    behind_ms = reference.number("clock_fault.behind_min", at_ms) * MINUTE_MS
    late = [
        scan for scan in scans if scan.received_ms is not None and scan.received_ms - scan.at_ms > behind_ms
    ]
    if len(late) < reference.number("clock_fault.behind_scans", at_ms):
        return []
    lags = [(scan.received_ms or 0) - scan.at_ms for scan in late]
    is_steady = max(lags) - min(lags) < reference.number("clock_fault.ahead_min", at_ms) * MINUTE_MS
    return late if is_steady and late[-1].at_ms - late[0].at_ms > 2 * HOUR_MS else []

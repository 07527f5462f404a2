"""One scan from the label's text to a line for the operator: with an action, on the disk before the line is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cylinder_trace.contract.event import written
from scanner.actions import Action, ReadCode, read_code
from scanner.outbox import Outbox, OutboxFull


@dataclass(frozen=True, slots=True)
class Recorder:
    """Makes an event of each code and puts it into the outbox."""

    action: Action
    outbox: Outbox
    now_ms: Callable[[], int]

    def record(self, text: str) -> dict[str, Any]:
        """The event, as a JSON object, once it is on the disk. Raises OutboxFull, and MalformedEvent for no code."""
        now_ms = self.now_ms()
        offset_ms = self.outbox.clock_offset_ms
        event = self.outbox.put(
            lambda device_seq: self.action.event(
                text, device_seq=device_seq, now_ms=now_ms, clock_offset_ms=offset_ms
            ),
            now_ms=now_ms,
        )
        return written(event)


def line_of(
    text: str, facts: Mapping[str, Any], recorder: Recorder | None, *, read: ReadCode | None = None
) -> dict[str, Any]:
    """What is printed for one label: `facts`, text, canonical code or null with the reason, and the event if made.

    A full disk gives a line with `error`, and no event.
    """
    read = read or read_code(text)
    line: dict[str, Any] = {**facts, "text": text, "code": read.code}
    if read.code is None:
        line["reason"] = read.reason
        return line
    line["scheme"] = read.scheme
    if recorder is not None:
        try:
            line["event"] = recorder.record(text)
        except OutboxFull as error:
            line["error"] = f"未记录！磁盘已满，请清理后重新扫描。 {error}"
    return line

"""Reading outside data: master records and events as JSON Lines of the contract, streaming and safe to repeat."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cylinder_trace import intake
from cylinder_trace.contract.fields import Moment, epoch_ms, moment_of
from cylinder_trace.contract.master import MalformedRecord, read_record
from cylinder_trace.contract.reading import decoded
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database

BATCH = LARGEST_BATCH
_RECEIVED: TypeAdapter[Any] = TypeAdapter(Moment)


@dataclass
class Report:
    """What became of the lines; `refused` names each bad line with its reason."""

    counts: dict[str, int] = field(
        default_factory=lambda: {"records": 0, "stored": 0, "duplicate": 0, "refused": 0}
    )
    refused: list[str] = field(default_factory=list)

    def refuse(self, number: int, why: str) -> None:
        """Note that a line was not taken."""
        self.counts["refused"] += 1
        self.refused.append(f"line {number}: {why}")


def run(
    database: Database,
    master: Path | None,
    events: Path | None,
    now_ms: int,
    progress: Callable[[int], object] | None = None,
) -> Report:
    """Read both files; an event line is an event, or `{"received_at": ..., "event": {...}}` for one received before.

    `progress(number)` is called as lines are done. Events wait to be judged by the next sweep.
    """
    report = Report()
    if master is not None:
        for lines in _batches(_lines(master)):
            _records(database, lines, report)
            if progress:
                progress(len(lines))
    if events is not None:
        for lines in _batches(_lines(events)):
            _events(database, lines, now_ms, report)
            if progress:
                progress(len(lines))
    return report


def _records(database: Database, lines: list[tuple[int, bytes]], report: Report) -> None:
    records = []
    for number, line in lines:
        try:
            records.append(read_record(line))
        except MalformedRecord as error:
            report.refuse(number, str(error))
    with database.writing() as connection:
        parties.put_records(connection, records)
    report.counts["records"] += len(records)


def _events(database: Database, lines: list[tuple[int, bytes]], now_ms: int, report: Report) -> None:
    read: list[tuple[int, int, Any]] = []
    for number, line in lines:
        try:
            read.append((number, *_unwrapped(line, now_ms)))
        except ValueError as error:
            report.refuse(number, str(error))
    for received_ms, same in groupby(read, key=lambda one: one[1]):
        batch = list(same)
        answer = intake.record(database, [message for _, _, message in batch], moment_of(received_ms), None)
        for (number, _, _), receipt in zip(batch, answer.receipts, strict=True):
            if receipt.refusal is not None:
                report.refuse(number, receipt.refusal.en)
            else:
                report.counts[receipt.status] += 1


def _unwrapped(line: bytes, now_ms: int) -> tuple[int, Any]:
    try:
        message = decoded(line)
    except (ValueError, RecursionError):
        return now_ms, line  # the ledger's reader says what is wrong with it
    if not isinstance(message, dict) or "event" not in message:
        return now_ms, message
    try:
        return epoch_ms(_RECEIVED.validate_python(message.get("received_at"))), message["event"]
    except ValidationError as error:
        raise ValueError(
            f"received_at: {error.errors()[0]['msg']}; send such as 2026-05-01T10:00:00+08:00"
        ) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())


def _batches(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    iterator = iter(lines)
    while batch := list(islice(iterator, BATCH)):
        yield batch

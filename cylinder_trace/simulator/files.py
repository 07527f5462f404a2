"""A city on disk: three JSON Lines files, read back line by line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord, read_record
from cylinder_trace.simulator.plan import Arrival, City, Label

MASTER, EVENTS, LABELS = "master.jsonl", "events.jsonl", "labels.jsonl"


@dataclass(frozen=True, slots=True)
class CityFiles:
    """A city's parts, read from their files as they are iterated; each can be iterated again."""

    directory: Path

    @property
    def records(self) -> Iterator[SiteRecord | OwnerRecord | PersonRecord]:
        """Master data, in the order written. Raises MalformedRecord."""
        for line in _lines(self.directory / MASTER):
            yield read_record(line)

    @property
    def arrivals(self) -> Iterator[Arrival]:
        """Events with their arrival, in the order they arrived. Raises MalformedEvent."""
        for line in _lines(self.directory / EVENTS):
            entry = json.loads(line)
            yield Arrival(datetime.fromisoformat(entry["received_at"]), read_event(entry["event"]))

    @property
    def labels(self) -> Iterator[Label]:
        """What was planted."""
        for line in _lines(self.directory / LABELS):
            entry = json.loads(line)
            yield Label(**entry | {"event_ids": tuple(map(UUID, entry["event_ids"]))})


def write(city: City, directory: Path) -> None:
    """Write master.jsonl, events.jsonl and labels.jsonl, creating the directory and replacing older files."""
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / MASTER, (record.model_dump(mode="json", exclude_none=True) for record in city.records))
    _write(
        directory / EVENTS,
        (
            {
                "received_at": arrival.received_at.isoformat(timespec="milliseconds"),
                "event": written(arrival.event),
            }
            for arrival in city.arrivals
        ),
    )
    _write(
        directory / LABELS,
        (
            {
                "kind": label.kind,
                "subject": label.subject,
                "event_ids": [str(event_id) for event_id in label.event_ids],
                "fault": label.fault,
                "note": label.note,
            }
            for label in city.labels
        ),
    )


def read(directory: Path) -> CityFiles:
    """The parts of a city that `write` wrote. Raises FileNotFoundError naming the file that is missing."""
    for name in (MASTER, EVENTS, LABELS):
        if not (directory / name).is_file():
            raise FileNotFoundError(f"{directory / name} is missing; write the city again")
    return CityFiles(directory)


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for entry in entries:
            file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file

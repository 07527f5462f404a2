"""A city on disk: four JSON Lines files, read back line by line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord, read_record
from cylinder_trace.simulator.plan import Arrival, City, Label, Missed

MASTER, EVENTS, LABELS, MISSED = "master.jsonl", "events.jsonl", "labels.jsonl", "missed.jsonl"


@dataclass(frozen=True, slots=True)
class CityFiles:
    """A city's parts, read from their files as they are iterated; each can be iterated again."""

    directory: Path

    @property
    def records(self) -> Iterator[SiteRecord | OwnerRecord | PersonRecord]:
        """Master data, in the order written. Raises MalformedRecord."""
        return records_of(self.directory / MASTER)

    @property
    def arrivals(self) -> Iterator[Arrival]:
        """Events with their arrival, in the order they arrived. Raises MalformedEvent."""
        return arrivals_of(self.directory / EVENTS)

    @property
    def labels(self) -> Iterator[Label]:
        """What was planted."""
        return labels_of(self.directory / LABELS)

    @property
    def missed(self) -> Iterator[Missed]:
        """The scans that nobody made; none where the city was written before they were kept."""
        return missed_of(self.directory / MISSED)


def records_of(path: Path) -> Iterator[SiteRecord | OwnerRecord | PersonRecord]:
    """The master data of one file, as a stream. Raises MalformedRecord."""
    for line in _lines(path):
        yield read_record(line)


def arrivals_of(path: Path) -> Iterator[Arrival]:
    """The events of one file with their arrival, as a stream. Raises MalformedEvent."""
    for line in _lines(path):
        entry = json.loads(line)
        yield Arrival(datetime.fromisoformat(entry["received_at"]), read_event(entry["event"]))


def labels_of(path: Path) -> Iterator[Label]:
    """The labels of one file."""
    for line in _lines(path):
        entry = json.loads(line)
        yield Label(**entry | {"event_ids": tuple(map(UUID, entry["event_ids"]))})


def missed_of(path: Path) -> Iterator[Missed]:
    """The scans that nobody made, of one file; none where there is no such file: a real city does not know them."""
    if path.is_file():
        for line in _lines(path):
            yield Missed(**json.loads(line))


def count(path: Path) -> int:
    """How many lines a file has."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


def write(city: City, directory: Path) -> None:
    """Write master.jsonl, events.jsonl, labels.jsonl and missed.jsonl, creating the directory and replacing older files."""
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
    _write(directory / MISSED, (asdict(one) for one in city.missed))


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

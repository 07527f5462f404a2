"""How long an operator waits at the gun: fill checks through HTTP, one station alone and fifty at once."""

import base64
import http.client
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from cylinder_trace import load, sweep
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.signing import COVERED_COMPONENTS, SIGNATURE_LABEL, KeyFile
from cylinder_trace.contract.verdict import FillCheckRequest, Verdict
from cylinder_trace.enrolment import enrol
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.simulator.files import write
from cylinder_trace.stage import free_port, opened, serving
from cylinder_trace.store import cylinders
from cylinder_trace.store.database import upgrade

STATIONS = 50
_ALONE, _EACH = 300, 30
_PACE_S = 1.0
"""How often a busy filling line asks: a cylinder a second is faster than any gun fills."""
_PATH = "/api/v1/fill-checks"


@dataclass(frozen=True)
class Waits:
    """Milliseconds from a request's first byte to the last of its answer, sorted, and requests a second.

    `server_ms` is the processor time that the server, without its database, spent on a request.
    """

    ms: list[float]
    rate: float
    server_ms: float

    def __str__(self) -> str:
        return (
            f"p50 {self._at(50):.1f} ms, p95 {self._at(95):.1f} ms, {self.rate:.0f} a second,"
            f" {self.server_ms:.1f} ms of the server's processor each"
        )

    def _at(self, percent: int) -> float:
        return statistics.quantiles(self.ms, n=100, method="inclusive")[percent - 1]

    @property
    def p95_ms(self) -> float:
        """95 of 100 waited no longer."""
        return self._at(95)


@dataclass(frozen=True)
class _Signed:
    body: bytes
    headers: dict[str, str]


def main(url: str | None = None) -> list[str]:
    """Measure on this PostgreSQL, or on one of the tests' own; gives the lines to print. Ends in about a minute."""
    with tempfile.TemporaryDirectory() as name, _postgres(url) as database_url:
        alone, paced, crowded = measured(database_url, Path(name))
    return [
        f"a fill check through HTTP on PostgreSQL, alone: {alone}",
        f"{STATIONS} stations at once, each asking once in {_PACE_S:g} s: {paced}",
        f"{STATIONS} stations at once, each asking as soon as it is answered: {crowded}",
    ]


def measured(url: str, folder: Path) -> tuple[Waits, Waits, Waits]:
    """The waits of one station alone, of fifty at a pace, and of fifty that never pause."""
    upgrade(url)
    city = simulate(Plan(seed=3, cylinders=200, days=10, end=datetime(2026, 11, 1, tzinfo=UTC)))
    write(city, folder / "city")
    now_ms = epoch_ms(city.plan.end)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with opened(url) as (database, cache):
        load.run(database, folder / "city" / "master.jsonl", folder / "city" / "events.jsonl", now_ms)
        sweep.run(database, cache, now_ms)
        with database.writing() as connection:
            codes = cylinders.all_ids(connection)
            stations = sorted(cache.read(connection).stations)
            enrolled_ms = time.time_ns() // 1_000_000
            keys = [
                enrol(connection, f"bench-{number}", station, address, enrolled_ms)
                for number, station in enumerate(islice(cycle(stations), STATIONS))
            ]
    with serving(url, port, folder) as session:

        def asked(keys: Sequence[KeyFile], each: int, pace_s: float = 0.0) -> Waits:
            return _asked(port, session, [_questions(key, codes, each) for key in keys], pace_s)

        asked(keys, 4)  # warm
        return asked(keys[:1], _ALONE), asked(keys, _EACH // 2, _PACE_S), asked(keys, _EACH)


def _questions(key: KeyFile, codes: Sequence[str], number: int) -> list[_Signed]:
    """Signed beforehand, so that the measuring takes as little as it can of the machine that it measures."""
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.private_key))
    keys = MappingKeyResolver(public_keys={}, private_keys={key.device_id: private})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys)
    questions: list[_Signed] = []
    for code in islice(cycle(codes), hash(key.device_id) % len(codes), None):
        if len(questions) == number:
            break
        asked = FillCheckRequest(cylinder_code=code, site_id=key.site_id, operator_id="bench", medium="lpg")
        body = asked.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": "application/json"}
        request = requests.Request("POST", key.server_url + _PATH, data=body, headers=headers).prepare()
        signer.sign(
            request,
            key_id=key.device_id,
            created=datetime.now(UTC),
            nonce=uuid4().hex,
            label=SIGNATURE_LABEL,
            covered_component_ids=COVERED_COMPONENTS,
            body=body,
        )
        questions.append(_Signed(body, dict(request.headers)))
    return questions


def _asked(port: int, session: int, stations: Sequence[Sequence[_Signed]], pace_s: float) -> Waits:
    """Every station on a connection of its own, asking one thing after another."""
    waits: list[list[float]] = [[] for _ in stations]
    together = threading.Barrier(len(stations) + 1)

    def station(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        together.wait()
        next_s = time.monotonic() + pace_s * number / len(stations)
        for question in stations[number]:
            if pace_s:
                time.sleep(max(0.0, next_s - time.monotonic()))
                next_s += pace_s
            begun = time.perf_counter()
            connection.request("POST", _PATH, question.body, question.headers)
            answer = connection.getresponse()
            said = answer.read()
            waits[number].append((time.perf_counter() - begun) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {said!r}")
            Verdict.model_validate_json(said)
        connection.close()

    threads = [threading.Thread(target=station, args=(number,)) for number in range(len(stations))]
    for thread in threads:
        thread.start()
    together.wait()
    begun, worked_ms = time.monotonic(), _processor_ms(session)
    for thread in threads:
        thread.join()
    rate = sum(map(len, stations)) / (time.monotonic() - begun)
    server_ms = (_processor_ms(session) - worked_ms) / sum(map(len, stations))
    all_ms = sorted(wait for its in waits for wait in its)
    if len(all_ms) != sum(map(len, stations)):
        raise RuntimeError("a station was not answered; see above")
    return Waits(all_ms, rate, server_ms)


def _processor_ms(session: int) -> float:
    """What the processes of a session have used so far; Linux only."""
    used = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # proc(5): after the name in brackets come state, ppid, pgrp, session; utime and stime are 14 and 15.
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                used += int(fields[11]) + int(fields[12])
    return used * 1000 / os.sysconf("SC_CLK_TCK")


@contextmanager
def _postgres(url: str | None) -> Iterator[str]:
    """The database that was named, or one on the tests' own server, which is in a checkout only."""
    if url is not None:
        yield url
        return
    from tests.databases import postgres_server

    with postgres_server() as server:
        yield server.url(server.create())

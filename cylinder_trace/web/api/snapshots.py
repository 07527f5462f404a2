"""The station snapshot: verdicts foreseen and signed, for the hours in which a station does not reach us."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Response, request
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cylinder_trace import stories
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.contract.snapshot import (
    LONGEST_CURSOR,
    MOST_ENTRIES,
    SignedSnapshot,
    SnapshotEntry,
    StationSnapshot,
    Step,
    signed_bytes,
)
from cylinder_trace.contract.verdict import Reason
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.foresight import Foreseen, foreseen
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.rules.cylinder import medium_mismatch
from cylinder_trace.judging.scan import DAY_MS, MINUTE_MS
from cylinder_trace.judging.state import State
from cylinder_trace.judging.verdict import decided, naming_at_gun, worded
from cylinder_trace.law.naming import Naming
from cylinder_trace.law.tables import Law
from cylinder_trace.store import codes, snapshots, watching
from cylinder_trace.web.api.stations import as_json, stations_tag
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.signatures import signed_body

FORESEEN_MS = 9 * DAY_MS
"""How far ahead verdicts are foreseen."""
ANEW_AFTER_MS = 7 * DAY_MS
"""A whole snapshot older than this is sent anew, so that one fetched a day ago still foresees a day."""
OVERLAP_MS = 5 * MINUTE_MS
"""What was judged so long before a fetch is sent again with the next: it may have been committed after it."""
PAGE = 1000

station_snapshots = APIBlueprint("station_snapshots", __name__, url_prefix="/api/v1", abp_tags=[stations_tag])


class SnapshotQuery(BaseModel):
    """Which page; without a cursor the first of a whole snapshot."""

    cursor: str = Field("", max_length=LONGEST_CURSOR)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins. A whole one goes by id; what changed since `since_ms` by when it was judged."""

    reference: str
    base_ms: int
    since_ms: int | None = None
    after: str = ""

    def written(self) -> str:
        since = "" if self.since_ms is None else str(self.since_ms)
        return f"{self.reference}.{self.base_ms}.{since}.{self.after}"

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ValueError for what we never wrote."""
        reference, base, since, after = text.split(".", 3)
        return cls(reference, int(base), int(since) if since else None, after)


@station_snapshots.get(
    "/station/snapshot",
    responses={200: SignedSnapshot, 400: Answer, 401: Answer, 501: Answer},
    summary="离线判定 Station snapshot",
)
def get_snapshot(query: SnapshotQuery) -> Response:
    """One signed page of what the verdicts on the station's cylinders are and will be. Ask again with its cursor."""
    signed = signed_body(request)
    if isinstance(signed, Response):
        return signed
    device, _ = signed
    here = server()
    if here.signing_key is None:
        zh, en = (
            "服务器没有签名密钥，不提供离线判定。",
            "this server has no signing key and gives no snapshots",
        )
        return refusal(501, "no_signing_key", zh, en)
    try:
        cursor = Cursor.read(query.cursor) if query.cursor else None
    except ValueError:
        return refusal(
            400, "malformed", "无法读取 cursor。", "the cursor can not be read; leave it out to begin"
        )
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        page = page_of(connection, device.site_id, cursor, here.now_ms(), reference)
        is_noted = watching.was_just_noted(connection, device.device_id, here.now_ms())
    if not is_noted:
        with here.database.writing() as connection:
            watching.note_fetch(connection, device.device_id, device.site_id, here.now_ms())
    return as_json(signed_page(page, here.signing_key))


def signed_page(page: StationSnapshot, key: Ed25519PrivateKey) -> SignedSnapshot:
    """The page as it is sent."""
    signature = key.sign(signed_bytes(page.model_dump(mode="json", exclude_none=True)))
    return SignedSnapshot(snapshot=page, signature=base64.b64encode(signature).decode())


def page_of(
    connection: Connection,
    site: str,
    cursor: Cursor | None,
    now_ms: int,
    reference: Reference,
    size: int = PAGE,
) -> StationSnapshot:
    """The page at a cursor; the first of a whole snapshot without one, or with one of another register or law."""
    mark = reference_mark(reference)
    if cursor is None or cursor.reference != mark or not 0 <= now_ms - cursor.base_ms <= ANEW_AFTER_MS:
        cursor = Cursor(mark, now_ms)
    owner = reference.owner_of_site(site, now_ms)
    base_ms, since_ms, gone = cursor.base_ms, cursor.since_ms, []
    if since_ms is None:
        kept = snapshots.all_of(connection, site, owner, cursor.after, size + 1)
    else:
        kept = snapshots.changed(connection, site, owner, since_ms, cursor.after, size + 1)
    more, kept = len(kept) > size, kept[:size]
    if since_ms is not None:
        until_ms = kept[-1].changed_ms if more else now_ms
        gone = snapshots.gone(connection, site, owner, since_ms, until_ms, MOST_ENTRIES)
    if not more:
        following = Cursor(mark, base_ms, (base_ms if since_ms is None else now_ms) - OVERLAP_MS)
    else:
        following = Cursor(
            mark, base_ms, None if since_ms is None else kept[-1].changed_ms, kept[-1].cylinder_id
        )
    naming = naming_at_gun(reference)
    return StationSnapshot(
        station=site,
        made_at=moment_of(now_ms),
        good_until=moment_of(now_ms + FORESEEN_MS),
        reference=mark,
        full=since_ms is None,
        first=since_ms is None and not cursor.after,
        more=more,
        cursor=following.written(),
        entries=tuple(_entries(connection, kept, site, now_ms, reference, naming)),
        gone=tuple(gone),
        other_medium=other_medium(naming),
    )


def _entries(
    connection: Connection,
    kept: Iterable[snapshots.Kept],
    site: str,
    now_ms: int,
    reference: Reference,
    naming: Naming,
) -> Iterator[SnapshotEntry]:
    states = {one.cylinder_id: one.state for one in kept}
    its_codes = codes.all_codes_of(connection, states)
    waiting = snapshots.not_judged(connection, {code for some in its_codes.values() for code in some})
    for one, kept_state in states.items():
        state = None if waiting.intersection(its_codes[one]) else kept_state
        state = state or stories.as_it_stands(connection, one, reference, now_ms) or State(one)
        yield from entries_of(state, its_codes[one], site, now_ms, reference, naming)


def entries_of(
    state: State, its_codes: Iterable[str], site: str, now_ms: int, reference: Reference, naming: Naming
) -> Iterator[SnapshotEntry]:
    """One cylinder's entries: its codes, together where they are decided alike."""
    medium = state.medium
    if medium is None:
        # Nothing is registered: it is judged as what the station fills.
        periods = reference.licences_in_force(site, now_ms)
        medium = min((medium for period in periods for medium in period.media), default="lpg")
    alike: dict[tuple[Step, ...], list[str]] = defaultdict(list)
    for code in its_codes:
        steps = foreseen(state, code, site, medium, now_ms, now_ms + FORESEEN_MS, reference)
        alike[tuple(_step(step, naming) for step in steps)].append(code)
    for steps_alike, codes_alike in alike.items():
        yield SnapshotEntry(
            cylinder_id=state.cylinder_id, codes=tuple(codes_alike), medium=state.medium, steps=steps_alike
        )


def _step(step: Foreseen, naming: Naming) -> Step:
    since_ms, found = step
    return Step(since=moment_of(since_ms), decision=decided(found), reasons=worded(found, naming))


def other_medium(naming: Naming) -> Reason:
    """Why a fill with another than the registered medium is stopped; the station knows which two they are."""
    finding = Finding(medium_mismatch.RULE.name, "", "", 0, None, ())
    [reason] = worded([(medium_mismatch.RULE, finding)], naming)
    said = {
        "fact_zh": "拟充装的介质不是登记介质。",
        "fact_en": "It is registered for another medium than the one to be filled.",
    }
    return reason.model_copy(update=said)


def reference_mark(reference: Reference) -> str:
    """Changes with everything that verdicts rest on beside the cylinder's own story: register, papers, law and rules.

    Not with customers and staff: they come and go by the hour, and no verdict of a snapshot looks at them.
    """
    mark = hashlib.sha256(_mark_of_law(reference.law).encode())
    for table in (
        {one: site for one, site in reference.sites.items() if site.type != "customer"},
        reference.owners,
        # A set is written in another order by every process, and each would take the others' cursors for outdated.
        {
            site: [(one.from_ms, one.until_day, sorted(one.media)) for one in its]
            for site, its in reference.licences.items()
        },
        reference.agreements,
        reference.approvals,
        reference.tag_blocks,
    ):
        mark.update(repr(sorted(table.items(), key=lambda item: item[0])).encode())
    return mark.hexdigest()[:16]


@lru_cache(maxsize=4)
def _mark_of_law(law: Law) -> str:
    said = repr([(row, sorted(row.columns.items(), key=lambda item: item[0])) for row in law.rows()])
    return hashlib.sha256(f"{said}{sorted(RULES)}".encode()).hexdigest()

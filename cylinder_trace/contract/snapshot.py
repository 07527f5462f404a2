"""The signed station snapshot: what a station may answer at the gun while the server can not be reached.

It comes in pages, each signed for itself. A page names the cursor of the next; the last one of a fetch says `more`
false, and its cursor asks for what changed since. A page with `first` begins a whole snapshot anew: what was kept
before falls away when its last page is there.

It tells of cylinders and of the station, not of who asks: what depends on the operator or the gun, and whatever was
scanned since it was made, only the server knows.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cylinder_trace.contract.fields import Id, Medium, Moment
from cylinder_trace.contract.leaf import canonical_bytes
from cylinder_trace.contract.verdict import Decision, Reason

SNAPSHOT_PATH = "/api/v1/station/snapshot"
LONGEST_CURSOR = 300
MOST_ENTRIES = 2000
"""Entries in one page: 5 MB where every one of them has its reasons, a tenth of that in a lawful town."""

_SIGNED_AS = b"cylinder-trace/station-snapshot/1\n"


class Step(BaseModel):
    """What is decided from `since` on, until the next step begins. The facts are told as of `since`."""

    model_config = ConfigDict(frozen=True)

    since: Moment
    decision: Decision
    reasons: tuple[Reason, ...] = ()


class SnapshotEntry(BaseModel):
    """One cylinder under some of its codes, filled with `medium`, the one it is registered for.

    A cylinder has several entries where its codes are decided differently, as after a change of its tag.
    """

    model_config = ConfigDict(frozen=True)

    cylinder_id: str
    codes: Annotated[tuple[str, ...], Field(min_length=1)]
    medium: Medium | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


class StationSnapshot(BaseModel):
    """One page. `reference` changes with the register, the licences and the law: then a whole one is sent anew.

    Steps are foreseen until `good_until`; a whole snapshot that is older is fetched anew. `gone` are cylinders that
    are the station's no more. `other_medium` is the reason that stops a fill with another than the registered medium.
    """

    model_config = ConfigDict(frozen=True)

    station: Id
    made_at: Moment
    good_until: Moment
    reference: str
    full: bool
    first: bool
    more: bool
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR)]
    entries: Annotated[tuple[SnapshotEntry, ...], Field(max_length=MOST_ENTRIES)] = ()
    gone: tuple[str, ...] = ()
    other_medium: Reason


class SignedSnapshot(BaseModel):
    """The answer to `GET /api/v1/station/snapshot`; `signature` is Ed25519 in base64 over `signed_bytes(snapshot)`."""

    model_config = ConfigDict(frozen=True)

    snapshot: StationSnapshot
    signature: str


def signed_bytes(snapshot: Mapping[str, Any]) -> bytes:
    """What is signed of a page's JSON object: its canonical bytes after a name that no other signed thing begins with.

    Raises ValueError for what has no canonical form.
    """
    return _SIGNED_AS + canonical_bytes(snapshot)

"""What a rule is made of: when it looks, what it finds, and the words that make it defensible."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import networkx as nx

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Owed, State

Bilingual = tuple[str, str]
"""Chinese, English."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A rule in words. `fact` is a template over the finding's facts; the rest stands as it is."""

    title: Bilingual
    fact: Bilingual
    remedy: Bilingual
    innocent: Bilingual
    settles: Bilingual


@dataclass(frozen=True, slots=True)
class Rule:
    """What every rule declares. `severity`: 1 at once, 2 same day, 3 digest. `laws` are ids of `law/legal_basis`.

    `condition` rules describe what holds at a date and end by themselves; the others name facts, which end
    only when a late event explains them or a person closes them. `waits_for_late_scans` rules rest on the
    absence or order of scans: their notice waits for `<rule>.grace_h` of the law tables.
    """

    name: str
    severity: Literal[1, 2, 3]
    laws: tuple[str, ...]
    words: Wording
    waits_for_late_scans: bool = False
    condition: bool = False


Find = Callable[[State, Scan, Reference], Finding | None]


@dataclass(frozen=True, slots=True)
class CylinderRule(Rule):
    """A rule over one cylinder's step: the state before, the event, the reference data.

    `only` spares calling a rule that finds nothing but in a scan at neither end of which the story has the cylinder, or
    of a cylinder that is unregistered, out of use or re-tagged.
    `lapse(state, owed, reference)` finds what became true because a scan that was owed did not come in time;
    an event of the kinds `due_on` makes it due then, but for what two clocks may differ.
    `at_gun` is what the finding means for a rehearsed fill; None where a rehearsal can not tell. `rehearse` finds it
    there where `find` can not, and `do_at_gun` is what is to be done there where it is not the remedy of afterwards.
    """

    kinds: frozenset[str] = frozenset()
    only: Literal["out_of_place", "out_of_use"] | None = None
    find: Find = lambda _state, _scan, _reference: None
    lapse: Callable[[State, Owed, Reference], Finding | None] | None = None
    due_on: frozenset[str] = frozenset()
    at_gun: Literal["STOP", "ASK"] | None = None
    rehearse: Callable[[State, Scan, Reference], Finding | None] | None = None
    do_at_gun: Bilingual | None = None


@dataclass(frozen=True, slots=True)
class NetworkRule(Rule):
    """A rule over the circulation graph around one site, as of a moment; each finding names the edges that show it.

    `find(graph, site, reference, as_of_ms)` reads only what the graph has of the legs around the site. `wake` tells of
    the same when time alone may change what it finds: at the first moment after that which it gives.
    """

    find: Callable[["nx.MultiDiGraph[str]", str, Reference, int], Iterable[Finding]] = (
        lambda _graph, _site, _reference, _as_of_ms: ()
    )
    wake: Callable[["nx.MultiDiGraph[str]", str, Reference, int], int | None] = (
        lambda _graph, _site, _reference, _as_of_ms: None
    )

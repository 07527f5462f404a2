"""Read, judge, remember: the stories of some cylinders are moved to where they stand now.

The walks that judge come here, each in a transaction of its own; what is drawn from a story is remembered with it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from cylinder_trace.judging import story
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import IN_ORDER, Scan
from cylinder_trace.judging.state import State
from cylinder_trace.judging.story import Chapter
from cylinder_trace.store import codes, consequences, cylinders, days, ledger, legs
from cylinder_trace.store.consequences import Because, Judged
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.parties import ReferenceCache

MOST_NEWS_TRIED = 30
"""Of more new events of one cylinder at once the last is named as the explanation, for the cost of finding it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything on record about one cylinder. `corrections` maps the id of each to the id it corrects; `made_with` are
    the devices of those that a device made.
    """

    scans: list[Scan]
    corrections: dict[str, str]
    made_with: dict[str, str]

    def told(self, cylinder_id: str, reference: Reference, as_of_ms: int) -> Chapter:
        """The story that it makes."""
        return story.told(cylinder_id, self.scans, reference, as_of_ms, self.corrections, self.made_with)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a cylinder is moved by: its new events, or the event for which it is judged again; and until when.

    `anew` means that the story has to be told from its beginning, whatever its news.
    """

    state: State
    news: list[Scan]
    anew: bool
    because: str | None
    as_of_ms: int


def move(
    connection: Connection,
    cache: ReferenceCache,
    entries: Sequence[Entry],
    corrected: Mapping[str, Entry],
    as_of_ms: int,
    now_ms: int,
    wake: Sequence[str] = (),
) -> None:
    """Move the cylinders of these entries, of corrected ones and the woken ones, and draw the consequences.

    `corrected` maps corrections to what they are about. Cylinders are judged for `as_of_ms`, or for the moment
    they were judged for before where that is later.
    """
    scans = [entry.scan for entry in entries]
    told_wrong = {correction: entry.scan for correction, entry in corrected.items()}
    binding = [scan for scan in (*scans, *told_wrong.values()) if codes.links_of(scan)]
    codes.hold(connection, exclusively=bool(binding))
    reference = cache.read(connection)
    anew, merged = _bind(connection, binding)
    work = _work(connection, scans, told_wrong, anew, merged, wake, as_of_ms)
    chapters = _continued(work, reference)
    wholes = whole(connection, work.keys() - chapters.keys(), {scan.event_id for scan in scans})
    chapters |= {one: _told(one, its, work[one], reference) for one, its in wholes.items()}
    carried = {one: its.legs for one, its in chapters.items()}
    touched = days.of_scans([*scans, *told_wrong.values()])
    touched |= days.of_jumps(connection, carried, {*wholes, *merged})
    changes = legs.save(connection, carried, {*wholes, *merged})
    cylinders.forget(connection, merged)
    judged = [
        Judged(f"cylinder:{one}", [], anew=True, because=partial(_same, by)) for one, by in merged.items()
    ]
    for one, chapter in sorted(chapters.items()):
        because: Because = (
            _Explanation(one, wholes[one], work[one], reference) if one in wholes else _NOTHING_ENDS
        )
        judged.append(Judged(f"cylinder:{one}", chapter.findings, one in wholes, one, because))
    shown = {one.unit: one.findings for one in judged}
    touched |= days.of_evidence(connection, shown, [one.unit for one in judged if one.anew])
    consequences.draw(connection, judged, reference, now_ms)
    cylinders.save(connection, [chapter.state for chapter in chapters.values()], now_ms)
    # Last and in one order, because every judge marks the same few sites.
    legs.settle(connection, changes)
    days.touch(connection, touched, reference, now_ms)


def as_it_stands(
    connection: Connection, cylinder_id: str, reference: Reference, as_of_ms: int
) -> State | None:
    """Where a cylinder stands with everything that is on record of it, judged or not; None where nothing is."""
    waiting = ledger.waiting_of(connection, codes.codes_of(connection, cylinder_id))
    state = None if waiting else cylinders.read(connection, cylinder_id)
    if state is None:
        its = whole(connection, [cylinder_id], waiting)[cylinder_id]
        if its.scans:
            state = its.told(cylinder_id, reference, as_of_ms).state
    return state


def whole(
    connection: Connection, cylinder_ids: Iterable[str], besides: Collection[str] = ()
) -> dict[str, Whole]:
    """Read several cylinders' whole stories: what is judged already, and the events `besides`."""
    its_codes = codes.all_codes_of(connection, cylinder_ids)
    entries = ledger.by_cylinder(connection, its_codes, besides)
    scans = {one: [entry.scan for entry in entries.get(one, ())] for one in its_codes}
    corrections = ledger.corrections_of(connection, [scan.event_id for its in scans.values() for scan in its])
    made_with = ledger.made_with(connection, corrections)
    return {one: Whole(its, corrections, made_with) for one, its in scans.items()}


def _work(
    connection: Connection,
    scans: Sequence[Scan],
    told_wrong: Mapping[str, Scan],
    anew: Collection[str],
    merged: Collection[str],
    wake: Sequence[str],
    as_of_ms: int,
) -> dict[str, _Work]:
    """The cylinders to be moved, locked, each with what moves it."""
    roots = codes.roots_of(connection, {scan.code for scan in (*scans, *told_wrong.values())})
    news: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        news[roots[scan.code]].append(scan)
    # A correction that came before its event was kept for it.
    early = set(ledger.corrections_of(connection, [scan.event_id for scan in scans]).values())
    anew = {*anew, *(roots[scan.code] for scan in scans if scan.event_id in early)}
    because: dict[str, str | None] = {roots[scan.code]: one for one, scan in told_wrong.items()}
    wanted = {*news, *anew, *because, *codes.roots_of(connection, wake).values()}.difference(merged)
    states = cylinders.lock(connection, wanted)
    # The woken too by the id they had: one that was merged meanwhile would stay on the list for ever.
    asked = cylinders.asked_again(connection, {*wanted, *wake})
    root_of = codes.roots_of(connection, asked)
    because = {root_of[one]: why for one, why in asked.items()} | because
    return {
        one: _Work(
            state or State(one),
            news.get(one, []),
            state is None or one in anew or one in because,
            because.get(one),
            max(as_of_ms, state.lapsed_ms + 1) if state else as_of_ms,
        )
        for one, state in states.items()
    }


def _continued(work: Mapping[str, _Work], reference: Reference) -> dict[str, Chapter]:
    """The chapters of those stories that go on where they stood; the others have to be told from the beginning."""
    chapters = {}
    for one, its in work.items():
        if not its.anew and (chapter := story.continued(its.state, its.news, reference, its.as_of_ms)):
            chapters[one] = chapter
    return chapters


def _told(cylinder_id: str, its: Whole, work: _Work, reference: Reference) -> Chapter:
    return its.told(cylinder_id, reference, work.as_of_ms)


class _Explanation:
    """Who knows the event for which a finding of a story told anew is gone.

    It is the event the story was judged again for, or the first of its news without which the finding would still
    be there: the story is told without its news, then with one more of them each time, once for all findings.
    """

    def __init__(self, cylinder_id: str, its: Whole, work: _Work, reference: Reference) -> None:
        self._cylinder_id = cylinder_id
        self._its = its
        self._work = work
        self._reference = reference
        self._shown: list[tuple[str, frozenset[str]]] | None = None

    def __call__(self, fingerprint: str) -> str | None:
        if self._work.because is not None or not self._work.news:
            return self._work.because
        news = sorted(self._work.news, key=IN_ORDER)
        if len(news) > MOST_NEWS_TRIED:
            return news[-1].event_id
        if self._shown is None:
            self._shown = self._told_one_by_one(news)
        explains = (event_id for event_id, shown in self._shown if fingerprint not in shown)
        return next(explains, news[-1].event_id)

    def _told_one_by_one(self, news: list[Scan]) -> list[tuple[str, frozenset[str]]]:
        """Each of the news but the last, with what is still found once it has come."""
        new = {scan.event_id for scan in news}
        scans = [scan for scan in self._its.scans if scan.event_id not in new]
        shown = []
        for scan in news[:-1]:
            scans.append(scan)
            whole_so_far = Whole(scans, self._its.corrections, self._its.made_with)
            found = _told(self._cylinder_id, whole_so_far, self._work, self._reference).findings
            shown.append((scan.event_id, frozenset(finding.fingerprint for finding in found)))
        return shown


def _bind(connection: Connection, binding: Sequence[Scan]) -> tuple[set[str], dict[str, str]]:
    """Bind and unbind codes; gives the cylinders to be told anew and, with the reason, those that are part of another."""
    if not binding:
        return set(), {}
    named = {code for scan in binding for code in (scan.code, *codes.links_of(scan))}
    before = codes.roots_of(connection, named)
    void = ledger.void_among(connection, [scan.event_id for scan in binding])
    codes.bind(connection, binding, void)
    after = codes.roots_of(connection, {*named, *before.values()})
    merged = {root: binding[0].event_id for root in before.values() if after[root] != root}
    changed = {code for code in named if before[code] != after[code]}
    anew = {root for code in changed for root in (after[code], after[before[code]])}
    return anew | {after[root] for root in merged}, merged


def _same(event_id: str | None, _fingerprint: str) -> str | None:
    return event_id


_NOTHING_ENDS = partial(_same, None)
"""For a story that goes on: it adds to what it showed and takes nothing back."""

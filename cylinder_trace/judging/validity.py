"""Until when a cylinder may be used: its entry in the register, its inspections, and the day on which they run out."""

from calendar import monthrange
from datetime import date

from cylinder_trace.judging.chapter import Chapter
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS, Scan, day_start_ms, local_day
from cylinder_trace.judging.state import State
from cylinder_trace.law.tables import NoLawForThat


def enter(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    """Registered, or the entry changed."""
    state = chapter.state
    entry = scan.master or {}
    if scan.kind == "register":
        if state.registered_ms is None:
            state.registered_ms = scan.at_ms
            state.register_event, state.register_code = scan.event_id, scan.code
            state.is_odd = bool(state.out or state.retired)
        elif scan.code != state.register_code:
            state.second_register = scan.event_id
    state.cylinder_class = entry.get("cylinder_class", state.cylinder_class)
    state.medium = entry.get("medium", state.medium)
    state.owner = entry.get("owner_id", state.owner)
    state.model = entry.get("model", state.model)
    if "volume_l" in entry:
        # A whole number is written without its fraction on record, and a state is the same however it came to be.
        state.volume_l = float(entry["volume_l"])
    state.manufactured = entry.get("manufactured", state.manufactured)
    state.last_inspection = entry.get("last_inspection", state.last_inspection)
    if "tare_kg" in entry:
        state.tare_g = round(entry["tare_kg"] * 1000)
    if "working_pressure_mpa" in entry:
        state.working_kpa = round(entry["working_pressure_mpa"] * 1000)
    if "extension_until" in entry:
        state.extension_day = date.fromisoformat(entry["extension_until"]).toordinal()
    if "valid_until" in entry:
        state.valid_until_day = date.fromisoformat(entry["valid_until"]).toordinal()
        state.term_reckoned = False
    elif state.valid_until_day is None or state.term_reckoned:
        _reckon(state, scan.at_ms, reference)
    state.allowed_g = reference.allowed_g(state.model, state.volume_l, state.medium, scan.at_ms)
    if state.cylinder_class and state.medium:
        state.life_end_day = reference.life_end_day(
            state.cylinder_class, state.medium, state.manufactured, state.extension_day, scan.at_ms
        )
    watch_term(chapter, scan.at_ms, reference)


def _reckon(state: State, at_ms: int, reference: Reference) -> None:
    """An entry without a term: one interval from the last inspection, or from the making where there was none yet."""
    begun = state.last_inspection or state.manufactured
    if begun is None:
        return
    day = longest_term_day(state, date.fromisoformat(begun).toordinal(), at_ms, reference)
    state.valid_until_day, state.term_reckoned = day, day is not None


def longest_term_day(before: State, begun_day: int, at_ms: int, reference: Reference) -> int | None:
    """The last day an inspection of that day can hold, through its month; None where the tables have no interval."""
    if before.cylinder_class is None or before.medium is None:
        return None
    try:
        interval = reference.law.inspection_interval(
            before.cylinder_class, before.medium, date.fromordinal(local_day(at_ms))
        )
    except NoLawForThat:
        return None
    begun = date.fromordinal(begun_day)
    months = begun.year * 12 + begun.month - 1 + int(interval.amount)
    year, month = months // 12, months % 12 + 1
    return date(year, month, monthrange(year, month)[1]).toordinal()


def counts(before: State, scan: Scan, reference: Reference) -> bool:
    """Whether a passed inspection gives a term: by an agency on the register, not of a scrapped cylinder, not dated ahead
    of its receipt.
    """
    if scan.site not in reference.agencies:
        return False
    return before.status != "scrapped" and not is_ahead(scan, reference)


def is_ahead(scan: Scan, reference: Reference) -> bool:
    """Whether it is dated later than the server had it."""
    if scan.received_ms is None:
        return False
    ahead_ms = int(reference.number("inspection_inconsistent.ahead_h", scan.at_ms) * HOUR_MS)
    return scan.at_ms > scan.received_ms + ahead_ms


def inspect(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    """The periodic inspection: a new term, the end of the one before, or the end of the life."""
    state = chapter.state
    if scan.result == "scrap":
        take_out(chapter, "scrapped", scan.event_id)
        return
    if scan.result == "pass":
        if not counts(state, scan, reference):
            return
        until = scan.valid_until_day
        longest = longest_term_day(state, local_day(scan.at_ms), scan.at_ms, reference)
        state.valid_until_day = min(until, longest) if until is not None and longest is not None else until
        state.idle_since_ms = state.idle_event = None
        state.failed = ()
    else:
        # A failed inspection ends the term of the one before it.
        yesterday = local_day(scan.at_ms) - 1
        state.valid_until_day = min(state.valid_until_day or yesterday, yesterday)
    state.term_reckoned = False
    state.inspected_ms, state.inspected_at = scan.at_ms, scan.site
    watch_term(chapter, scan.at_ms, reference)


def watch_term(chapter: Chapter, at_ms: int, reference: Reference) -> None:
    """The term, the owner or the use changed: wake before the term ends, and when it has ended."""
    state = chapter.state
    if state.shown:
        chapter.end("due_soon", "overdue_at_user")
    valid, life = state.valid_until_day, state.life_end_day
    day = valid if life is None or (valid is not None and valid < life) else life
    state.term_day, state.term_ms, state.term_near, state.term_over = day, None, False, False
    if day is None or state.out:
        return
    over_ms = day_start_ms(day + 1)
    state.term_near = at_ms >= over_ms
    near_ms = over_ms if state.term_near else over_ms - reference.custody_terms(at_ms).term_near_ms
    # What is past already is looked at in the next moment, by the same way as what is to come.
    state.term_ms = max(at_ms, near_ms)
    state.wake_by(state.term_ms)


def take_out(chapter: Chapter, status: str, event_id: str) -> None:
    """Out of use: nothing is waited for until it is back."""
    state = chapter.state
    state.take_out(status, event_id)
    state.term_ms = None
    state.is_awaited = False
    chapter.end("due_soon", "overdue_at_user", "long_dwell", "never_received")

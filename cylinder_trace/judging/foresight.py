"""What the verdict on a cylinder will be as time goes on and nothing else happens: days run out by themselves."""

from collections.abc import Iterator

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.judging.state import State
from cylinder_trace.judging.verdict import Objection, intended, objections

Foreseen = tuple[int, list[Objection]]
"""From which moment on, and what the rules have against a fill from then on."""


def foreseen(
    state: State, code: str, site: str, medium: str, from_ms: int, until_ms: int, reference: Reference
) -> list[Foreseen]:
    """The verdicts on filling a cylinder from one moment to another, each with the millisecond from which it holds.

    A rule that speaks for less than a local day and is silent at both ends of it is missed: no law ends that way.
    """

    def at(moment_ms: int) -> list[Objection]:
        return objections(state, intended(code, site, medium, moment_ms), reference)

    steps: list[Foreseen] = [(from_ms, at(from_ms))]
    seen_ms = from_ms
    for moment_ms in _looks(from_ms, until_ms):
        then = at(moment_ms)
        while _rules(then) != _rules(steps[-1][1]):
            same_ms, other_ms = seen_ms, moment_ms
            while other_ms - same_ms > 1:
                middle_ms = (same_ms + other_ms) // 2
                if _rules(at(middle_ms)) == _rules(steps[-1][1]):
                    same_ms = middle_ms
                else:
                    other_ms = middle_ms
            steps.append((other_ms, at(other_ms)))
            seen_ms = other_ms
        seen_ms = moment_ms
    return steps


def _looks(from_ms: int, until_ms: int) -> Iterator[int]:
    """Midnight of every day between, when the days of the law end, and the end itself."""
    for day in range(local_day(from_ms) + 1, local_day(until_ms) + 1):
        if from_ms < day_start_ms(day) < until_ms:
            yield day_start_ms(day)
    yield until_ms


def _rules(found: list[Objection]) -> list[str]:
    return [rule.name for rule, _ in found]

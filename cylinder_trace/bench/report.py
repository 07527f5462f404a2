"""All measurements, printed; ratios within one run can be compared, absolute times depend on the machine."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from cylinder_trace.bench import costs
from cylinder_trace.bench.judging_rate import judging_rate
from cylinder_trace.bench.ledgers import Ledger, copy_of, history_and_news, judged
from cylinder_trace.bench.replaying import replayed
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.simulator.city import Plan, simulate

END = datetime(2026, 11, 1, tzinfo=UTC)
_JUDGED_NEWS, _SWEPT_NEWS = 1000, 6000

More = Callable[[], Iterable[str]]
"""Another subject's measurements: the lines to print."""


def main(*, quick: bool = False, more: Sequence[More] = ()) -> int:
    """Print the measurements; `quick` takes a tenth of the events, which is no proof for a large ledger."""
    city = simulate(Plan(seed=3, cylinders=2000, days=60, end=END))
    print(
        f"judging from memory: {judging_rate(city):,.0f} steps/s on one core, {len(CYLINDER_RULES)} rules",
        flush=True,
    )
    small, large = (100_000, 500_000) if quick else (100_000, 5_000_000)
    city = simulate(Plan(seed=4, cylinders=2000, days=60, end=END, faults_of_each_kind=0))
    history, news = history_and_news(city, _JUDGED_NEWS + _SWEPT_NEWS)
    now_ms = epoch_ms(history[-1].received_at)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        first = stack.enter_context(judged(Path(folder), city, history))
        second = stack.enter_context(copy_of(first, "large.sqlite3"))
        first.grow(small)
        for events in (large // 10, large // 2):
            second.grow(events)
            _print_replay(second, now_ms)
        second.grow(large)
        sizes = f"in a ledger of {first.events:,} events and in one of {second.events:,}"
        (one, other), ratio = costs.judging((first, second), news[:_JUDGED_NEWS])
        print(f"judging a new event {sizes}: {one:.0f} us and {other:.0f} us, ratio {ratio:.2f}", flush=True)
        (one, other), ratio = costs.sweeping((first, second), news[_JUDGED_NEWS:])
        print(
            f"a sweep after {costs.SWEPT} new events {sizes}: {one:.2f} s and {other:.2f} s, ratio {ratio:.2f}"
        )
    for measure in more:
        for line in measure():
            print(line, flush=True)
    return 0


def _print_replay(ledger: Ledger, now_ms: int) -> None:
    events = ledger.events
    done = replayed(ledger.url, now_ms)
    print(
        f"full replay of {events:,} events: {events / done.seconds:,.0f} events/s in two processes"
        f" (stories alone {events / done.cylinders_s:,.0f}), peak {done.peak_mib} MiB and"
        f" {done.worker_peak_mib} MiB a worker",
        flush=True,
    )

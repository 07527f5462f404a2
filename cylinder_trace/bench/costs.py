"""What new events cost: judged in batches, and swept a thousand at a time, in a small and in a large ledger."""

import statistics
import time
from collections.abc import Callable, Sequence

from cylinder_trace import intake, sweep
from cylinder_trace.bench.ledgers import Ledger, record
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.simulator.plan import Arrival

BATCH = 50
SWEPT = 1000


def judging(ledgers: Sequence[Ledger], news: list[Arrival]) -> tuple[list[float], float]:
    """Microseconds to judge a new event in each of two ledgers, in batches, and the median ratio of the pairs."""

    def judge(ledger: Ledger, now_ms: int) -> None:
        intake.judge(ledger.database, ledger.cache, now_ms)

    costs, ratio = _paired(ledgers, news, BATCH, judge)
    return [1e6 * cost / BATCH for cost in costs], ratio


def sweeping(ledgers: Sequence[Ledger], news: list[Arrival]) -> tuple[list[float], float]:
    """Seconds of a sweep after a thousand new events in each of two ledgers, and the median ratio of the pairs."""

    def swept(ledger: Ledger, now_ms: int) -> None:
        sweep.run(ledger.database, ledger.cache, now_ms)

    return _paired(ledgers, news, SWEPT, swept)


def _paired(
    ledgers: Sequence[Ledger], news: list[Arrival], size: int, do: Callable[[Ledger, int], None]
) -> tuple[list[float], float]:
    # In turn, the same events in each, so that a machine that others use slows both alike.
    costs: list[list[float]] = [[] for _ in ledgers]
    for start in range(0, len(news) - size + 1, size):
        some = news[start : start + size]
        for ledger, its in zip(ledgers, costs, strict=True):
            record(ledger, some)
            begun = time.perf_counter()
            do(ledger, epoch_ms(some[-1].received_at))
            its.append(time.perf_counter() - begun)
    ratio = statistics.median(large / small for small, large in zip(*costs, strict=True))
    return [statistics.median(its) for its in costs], ratio

"""How fast a whole ledger is replayed in two processes, and how much memory that takes at its peak."""

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from cylinder_trace import replay
from cylinder_trace.store.database import open_database

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Replayed:
    """`cylinders_s` is the time of the stories alone; peaks are of the process that counts and of the largest worker."""

    seconds: float
    cylinders_s: float
    peak_mib: int
    worker_peak_mib: int


def replayed(url: str, as_of_ms: int) -> Replayed:
    """Replay with all rules, in processes of their own so that nothing else is in their memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_replay, url, as_of_ms).result()


def _replay(url: str, as_of_ms: int) -> Replayed:
    database = open_database(url)
    told_s: list[float] = []

    def told(what: str, _number: int) -> None:
        if what == "cylinders":
            told_s.append(time.perf_counter())

    begun = time.perf_counter()
    replay.run(database, replay.Question(as_of_ms), told, PROCESSES)
    seconds = time.perf_counter() - begun
    database.close()
    worker_peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return Replayed(seconds, told_s[-1] - begun if told_s else 0.0, _own_peak_mib(), worker_peak_mib)


def _own_peak_mib() -> int:
    # Not by getrusage: what it says of a process began with the peak of the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024

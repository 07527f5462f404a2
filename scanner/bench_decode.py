"""Decode rates and times on a kit of photographs: each engine alone, both together, and the cascade.

A kit is a folder of pictures with an `index.csv`: file, symbology (QR, DM, C128, EAN, or NONE for a picture
without a code), text and other_genuine_texts. Several texts in a column are separated by a bar; a bar within a
text is written as backslash p, beside the usual backslash n, r, x1d and double backslash. Texts are compared
without AIM prefixes and white space.
"""

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2

from scanner.decode.cascade import decode
from scanner.decode.engines import Grey, available, read_with_pyzbar, read_with_zxing
from scanner.decode.pictures import load_grey
from scanner.decode.reading import Reading

DEFAULT_KIT = Path(__file__).parents[2] / "shared" / "kits" / "photos"

Way = Callable[[Grey], Sequence[Reading]]

_ESCAPE = re.compile(r"\\(\\|p|n|r|x1d)")
_ESCAPED = {"\\": "\\", "p": "|", "n": "\n", "r": "\r", "x1d": "\x1d"}
_AIM_PREFIX = re.compile(r"^\][A-Za-z][0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Row:
    """One way of reading on one symbology's pictures; "all" has every picture, "NONE" those without a code.

    `codes`: pictures with a code; `read`: those of them where one of the codes was read; `wrong`: texts that are
    on no label in the picture; times are processor time a picture, without opening the file.
    """

    way: str
    symbology: str
    codes: int
    read: int
    wrong: int
    median_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """0 to 1; 0 where there is nothing to read."""
        return self.read / self.codes if self.codes else 0.0


@dataclass(frozen=True, slots=True)
class _Result:
    symbology: str
    read: bool
    wrong: int
    ms: float


def measure(folder: Path = DEFAULT_KIT) -> list[Row]:
    """A row for each way and symbology, in the order in which they are printed.

    Ways that need pyzbar are left out when it can not be used. FileNotFoundError without an `index.csv`.
    """
    with (folder / "index.csv").open(encoding="utf-8", newline="") as index:
        truths = list(csv.DictReader(index))
    # Processor time only tells what a picture costs when OpenCV does not spread it over the cores.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        pictures = [(truth, load_grey(folder / truth["file"])) for truth in truths]
        rows: list[Row] = []
        for way, read in _ways().items():
            rows += _rows(way, [_judged(truth, image, read) for truth, image in pictures])
    finally:
        cv2.setNumThreads(threads)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. 0 when done, 2 when there is no kit."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=DEFAULT_KIT, help="pictures with an index.csv"
    )
    folder = parser.parse_args(arguments).folder
    if not (folder / "index.csv").is_file():
        sys.stderr.write(f"No index.csv in {folder}. Name the folder of a kit of photographs.\n")
        return 2
    for engine in available():
        sys.stdout.write(f"{engine.name} {engine.version}: {engine.problem or 'ok'}\n")
    sys.stdout.write(table(measure(folder)))
    return 0


def table(rows: Sequence[Row]) -> str:
    """The rows as text, a line each."""
    lines = [f"{'way':<16}{'symbology':<10}{'read':>10}{'rate':>8}{'wrong':>7}{'median ms':>11}{'p95 ms':>9}"]
    for row in rows:
        rate = f"{row.rate:.1%}" if row.codes else "-"
        lines.append(
            f"{row.way:<16}{row.symbology:<10}{f'{row.read}/{row.codes}':>10}{rate:>8}{row.wrong:>7}"
            f"{row.median_ms:>11.1f}{row.p95_ms:>9.1f}"
        )
    return "\n".join(lines) + "\n"


def _ways() -> dict[str, Way]:
    def cascade(deadline_ms: float) -> Way:
        return lambda image: decode(image, deadline_ms=deadline_ms, clock=time.process_time)

    ways: dict[str, Way] = {"zxing-cpp": read_with_zxing}
    if all(engine.problem is None for engine in available()):
        ways["pyzbar"] = read_with_pyzbar
        ways["both"] = lambda image: [*read_with_zxing(image), *read_with_pyzbar(image)]
    return ways | {"cascade 60 ms": cascade(60), "cascade 150 ms": cascade(150)}


def _judged(truth: dict[str, str], image: Grey, read: Way) -> _Result:
    started = time.process_time()
    readings = read(image)
    ms = (time.process_time() - started) * 1000
    wanted = _texts(truth["text"])
    texts = {_compared(reading.text) for reading in readings} - {""}
    return _Result(
        symbology=truth["symbology"],
        read=bool(texts & wanted),
        wrong=len(texts - wanted - _texts(truth["other_genuine_texts"])),
        ms=ms,
    )


def _rows(way: str, results: Sequence[_Result]) -> list[Row]:
    symbologies = sorted({result.symbology for result in results} - {"NONE"})
    groups = {name: [r for r in results if r.symbology == name] for name in [*symbologies, "NONE"]}
    groups["all"] = list(results)
    return [
        Row(
            way=way,
            symbology=name,
            codes=sum(result.symbology != "NONE" for result in group),
            read=sum(result.read for result in group),
            wrong=sum(result.wrong for result in group),
            median_ms=median(result.ms for result in group),
            p95_ms=sorted(result.ms for result in group)[int(len(group) * 0.95)],
        )
        for name, group in groups.items()
        if group
    ]


def _texts(column: str) -> set[str]:
    plain = (_ESCAPE.sub(lambda found: _ESCAPED[found[1]], text) for text in column.split("|"))
    return {_compared(text) for text in plain} - {""}


def _compared(text: str) -> str:
    return "".join(_AIM_PREFIX.sub("", text).split())


if __name__ == "__main__":
    sys.exit(main())

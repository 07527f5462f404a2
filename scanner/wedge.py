"""A USB scanner that types: bytes in, one scan or one clear refusal a line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cylinder_trace.contract.code import LONGEST_LABEL

_LINE_END = re.compile(rb"[\r\n\t]")
LONGEST_LINE_BYTES = LONGEST_LABEL * 4
"""No character of UTF-8 has more than four bytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed up to a CR, LF or Tab: `text`, or `refusal` when it can not be a label's text."""

    raw: bytes
    text: str | None
    refusal: str | None


class Wedge:
    """Cuts a stream of bytes into lines, however it arrives; empty lines (CR LF) are none."""

    def __init__(self) -> None:
        self._begun = b""
        self._too_long = False

    def feed(self, data: bytes) -> list[Line]:
        """The lines that these bytes end. Never raises; memory stays bounded without a line end too."""
        *ended, begun = _LINE_END.split(self._begun + data)
        lines = []
        for raw in ended:
            line = self._line(raw)
            self._too_long = False
            if line is not None:
                lines.append(line)
        if len(begun) > LONGEST_LINE_BYTES:
            self._too_long = True
            begun = begun[:LONGEST_LINE_BYTES]
        self._begun = begun
        return lines

    def end(self) -> list[Line]:
        """What is left when the stream ends: a line without its end may be cut off, so it is refused."""
        raw, self._begun = self._begun, b""
        if not raw:
            return []
        return [Line(raw, None, "the input stopped before the line end (CR, LF or Tab); scan it again")]

    def _line(self, raw: bytes) -> Line | None:
        if self._too_long or len(raw) > LONGEST_LINE_BYTES:
            return Line(
                raw[:LONGEST_LINE_BYTES],
                None,
                f"more than {LONGEST_LINE_BYTES} bytes without a line end; set the scanner to send CR after each code",
            )
        if not raw.strip(b" \x00"):
            return None
        try:
            return Line(raw, raw.decode("utf-8"), None)
        except UnicodeDecodeError as error:
            return Line(
                raw,
                None,
                f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8;"
                " set the scanner to UTF-8 or ASCII output and scan again",
            )


def lines(read: Callable[[], bytes]) -> Iterator[Line]:
    """The lines of a stream whose `read` gives what has arrived, and b"" at its end."""
    wedge = Wedge()
    while data := read():
        yield from wedge.feed(data)
    yield from wedge.end()

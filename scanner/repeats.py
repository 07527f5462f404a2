"""The same label seen twice within two seconds is one scan."""

SAME_SCAN_MS = 2000


class Repeats:
    """Remembers the codes of the last two seconds. Times are of a clock that is never set back."""

    def __init__(self, window_ms: int = SAME_SCAN_MS) -> None:
        self._window_ms = window_ms
        self._seen_ms: dict[str, int] = {}

    def is_repeat(self, code: str, now_ms: int, *, still_in_view: bool = False) -> bool:
        """True when `code` was last new within the window; otherwise it is new now.

        With `still_in_view` a repeat counts from now again: a label held before a camera stays one scan.
        """
        self._seen_ms = {one: at for one, at in self._seen_ms.items() if now_ms - at < self._window_ms}
        repeat = code in self._seen_ms
        if still_in_view or not repeat:
            self._seen_ms[code] = now_ms
        return repeat


class EqualReads:
    """A code counts once two frames in a row, at most 300 ms apart, read it alike."""

    LONGEST_GAP_MS = 300

    def __init__(self) -> None:
        self._last_ms: dict[str, int] = {}

    def confirmed(self, texts: list[str], now_ms: int) -> list[str]:
        """Those of one frame's texts that the frame before with any text read too."""
        if not texts:
            return []
        before, self._last_ms = self._last_ms, dict.fromkeys(texts, now_ms)
        return [text for text in texts if text in before and now_ms - before[text] <= self.LONGEST_GAP_MS]

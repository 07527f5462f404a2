"""Elements of a drawing, escaped; how wide words are; and places for words where they cover nothing."""

import unicodedata
from dataclasses import dataclass, field

from markupsafe import Markup, escape

LABEL_PX = 11.5
"""Size of the words on a drawing; look.css says the same."""


def element(name: str, *inside: str | Markup, **attributes: object) -> Markup:
    """One element; `class_` and `text_anchor` become `class` and `text-anchor`; text is escaped, markup is not."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(str(escape(part)) for part in inside)
    return Markup(f"<{name}{written}>{content}</{name}>")


def drawing(width: float, height: float, title: str, *inside: Markup) -> Markup:
    """A whole picture that scales with its place; `title` is read to those who do not see it."""
    head = element("title", title)
    box = f"0 0 {_short(width)} {_short(height)}"
    # The name is written out: the element builder lowers no case.
    body = Markup("").join((head, *inside))
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" viewBox="{}">{}</svg>'
    ).format(box, body)


def width_of(words: str, size_px: float = LABEL_PX) -> float:
    """About how wide words are drawn: a Chinese character as wide as high, others a little over half."""
    wide = sum(unicodedata.east_asian_width(character) in "WFA" for character in words)
    return size_px * (wide + 0.58 * (len(words) - wide))


def wrapped(words: str, width: float, lines: int, size_px: float = LABEL_PX) -> list[str]:
    """Words broken into at most so many lines of at most that width; an ellipsis where they do not fit."""
    rows: list[str] = []
    rest = words
    while rest:
        row = rest
        while len(row) > 1 and width_of(row, size_px) > width:
            row = row[:-1]
        if len(row) < len(rest) and len(rows) + 1 == lines:
            return [*rows, row[:-1] + "…"]
        # Broken between words where there are any, and anywhere in Chinese.
        cut = row.rfind(" ") if len(row) < len(rest) and rest[len(row)].isascii() else -1
        row = row[: cut + 1] if cut > 0 else row
        rows.append(row.strip())
        rest = rest[len(row) :].lstrip()
    return rows


@dataclass
class Places:
    """The boxes (left, top, right, bottom) on a picture that are taken."""

    width: float
    height: float
    _taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def is_free(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box lies on the picture and touches nothing that was put there."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width or bottom > self.height:
            return False
        return all(
            right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]
            for other in self._taken
        )

    def take(self, box: tuple[float, float, float, float]) -> None:
        """Mark a box as taken."""
        self._taken.append(box)

    def label(self, words: str, x: float, baselines: tuple[float, ...], class_: str = "label") -> Markup:
        """Words centred at `x` or as near as the picture's edge allows, on the first baseline with room; else nothing."""
        half = width_of(words) / 2 + 3
        middle = min(max(x, half), self.width - half)
        for y in baselines:
            box = (middle - half, y - LABEL_PX, middle + half, y + 3)
            if self.is_free(box):
                self.take(box)
                return element("text", words, class_=class_, x=middle, y=y, text_anchor="middle")
        return Markup("")


def _short(value: object) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

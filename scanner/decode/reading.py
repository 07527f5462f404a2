"""One code as it was read, and the names of the symbologies."""

from dataclasses import dataclass

Point = tuple[int, int]
"""x, y in pixels of the picture that was handed in."""

STATION_SYMBOLOGIES = ("QR", "DM", "C128", "EAN13")
"""What cylinder labels use. Every further symbology costs time and is one more chance to invent a text."""

SYMBOLOGIES = (*STATION_SYMBOLOGIES, "EAN8", "C39")
LINEAR = frozenset({"C128", "EAN13", "EAN8", "C39"})
"""Symbologies without error correction: at most one check character stands between noise and a text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One code in one picture.

    `text` is the plain content: control characters and GS (0x1D) stay, there is no AIM prefix. Bytes in the
    encoding that the symbol declares, in UTF-8 or in an encoding that zxing recognises are decoded; all others
    have one character per byte, so that `text.encode("latin-1")` gives them back. UPC-A is an EAN13 with a
    leading zero. `decoder` is "zxing" or "pyzbar", `step` names the preparation. `polygon` is what the engine
    located: four corners from zxing, the convex hull of the scan lines from zbar. `aim` is the AIM identifier
    such as `]d2`, None when the engine does not report it.
    """

    text: str
    symbology: str
    decoder: str
    step: str
    polygon: tuple[Point, ...]
    aim: str | None

    @property
    def is_linear(self) -> bool:
        return self.symbology in LINEAR

"""The two decoders behind one signature: grey picture in, readings out.

    DecoderMissing      a decoder's system library is not installed

zxing-cpp carries everything in its wheel. pyzbar needs the system's libzbar and is therefore imported when it
is first used; without it the cascade goes on with zxing-cpp alone, and `available()` says so.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.decode.reading import STATION_SYMBOLOGIES, Reading

log = logging.getLogger(__name__)

Grey = NDArray[np.uint8]
"""(height, width) uint8, 0 black."""

_SMALLEST_SIDE = 8
"""Pixels; the smallest Data Matrix has 8 modules a side (8 x 18)."""

_ZXING_FORMATS = {
    "QR": (zxingcpp.BarcodeFormat.QRCode,),
    "DM": (zxingcpp.BarcodeFormat.DataMatrix,),
    "C128": (zxingcpp.BarcodeFormat.Code128,),
    "EAN13": (zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.UPCA),
    "EAN8": (zxingcpp.BarcodeFormat.EAN8,),
    "C39": (zxingcpp.BarcodeFormat.Code39,),
}
_ZBAR_TYPES = {"QR": "QRCODE", "C128": "CODE128", "EAN13": "EAN13", "EAN8": "EAN8", "C39": "CODE39"}
_FROM_ZBAR = {name: symbology for symbology, name in _ZBAR_TYPES.items()}


class DecoderMissing(RuntimeError):
    """A decoder can not be used on this machine. Attributes: `decoder`, and `package` to install."""

    def __init__(self, decoder: str, package: str, cause: str) -> None:
        self.decoder = decoder
        self.package = package
        super().__init__(
            f"{decoder} can not be used ({cause}). Install its library: apt install {package}. "
            "Until then codes are read by zxing-cpp alone, which reads fewer worn bar codes."
        )


@dataclass(frozen=True, slots=True)
class EngineState:
    """`problem` is None when the engine can be used, otherwise what is wrong and what to do."""

    name: str
    version: str
    problem: str | None


def available() -> tuple[EngineState, ...]:
    """Both engines with their versions, and for one that can not be used the reason."""
    pyzbar = _pyzbar()
    problem = str(pyzbar) if isinstance(pyzbar, DecoderMissing) else None
    return (
        EngineState("zxing", version("zxing-cpp"), None),
        EngineState("pyzbar", version("pyzbar"), problem),
    )


def read_with_zxing(
    image: Grey, symbologies: Iterable[str] = STATION_SYMBOLOGIES, *, step: str = "raw"
) -> list[Reading]:
    """Everything zxing-cpp finds, in its order and unjudged. ValueError for an unknown symbology."""
    formats = [wanted for name in symbologies for wanted in _ZXING_FORMATS[_known(name)]]
    if not formats or min(image.shape) < _SMALLEST_SIDE:
        return []
    # HRI, the default mode, prints a GS as "<GS>" and puts brackets around GS1 identifiers.
    found = zxingcpp.read_barcodes(
        np.ascontiguousarray(image),
        formats=zxingcpp.BarcodeFormats(formats),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [
        Reading(
            text=_text(barcode),
            symbology=_zxing_symbology(barcode.format),
            decoder="zxing",
            step=step,
            polygon=_corners(barcode.position),
            aim=barcode.symbology_identifier or None,
        )
        for barcode in found
    ]


def read_with_pyzbar(
    image: Grey, symbologies: Iterable[str] = STATION_SYMBOLOGIES, *, step: str = "raw"
) -> list[Reading]:
    """Everything zbar finds, its ghosts of size zero included; Data Matrix is silently not among it.

    zbar guesses the encoding of a QR code and is often wrong beyond ASCII, so only ASCII texts are exact.
    Raises DecoderMissing without libzbar, ValueError for an unknown symbology.
    """
    pyzbar = _pyzbar()
    if isinstance(pyzbar, DecoderMissing):
        raise pyzbar
    types = [pyzbar.ZBarSymbol[_ZBAR_TYPES[name]] for name in symbologies if _known(name) in _ZBAR_TYPES]
    if not types or min(image.shape) < _SMALLEST_SIDE:
        return []
    return [
        Reading(
            text=_utf8_or_latin1(code.data),
            symbology=_FROM_ZBAR[code.type],
            decoder="pyzbar",
            step=step,
            polygon=tuple((int(point.x), int(point.y)) for point in code.polygon),
            aim=None,
        )
        for code in pyzbar.decode(image, symbols=types)
        if code.type in _FROM_ZBAR
    ]


Engine = Callable[..., list[Reading]]


@lru_cache(maxsize=1)
def _pyzbar() -> ModuleType | DecoderMissing:
    # The failure is kept as well: looking for a library runs ldconfig, far too slow for every frame.
    try:
        from pyzbar import pyzbar
    except ImportError as error:
        missing = DecoderMissing("pyzbar", "libzbar0", str(error))
        log.warning("%s", missing)
        return missing
    module: ModuleType = pyzbar
    return module


def _known(symbology: str) -> str:
    if symbology not in _ZXING_FORMATS:
        raise ValueError(f"unknown symbology {symbology!r}; choose from {', '.join(_ZXING_FORMATS)}")
    return symbology


def _text(barcode: Any) -> str:
    # zxing gives content of unknown encoding as Latin-1; UTF-8 without a declaration is what label printers
    # write, and a byte string that is valid UTF-8 by chance is rare.
    if barcode.content_type is zxingcpp.ContentType.Binary:
        return _utf8_or_latin1(barcode.bytes)
    return str(barcode.text)


def _utf8_or_latin1(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _zxing_symbology(barcode_format: Any) -> str:
    for symbology, formats in _ZXING_FORMATS.items():
        if barcode_format in formats:
            return symbology
    # zxing tells sub-formats apart (QR model 2, Code 39 extended); their `symbology` is the family.
    for symbology, formats in _ZXING_FORMATS.items():
        if barcode_format.symbology in {one.symbology for one in formats}:
            return symbology
    raise ValueError(f"zxing-cpp read {barcode_format}, which was not asked for")


def _corners(position: Any) -> tuple[tuple[int, int], ...]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((int(corner.x), int(corner.y)) for corner in corners)

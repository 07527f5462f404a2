"""What a picture file says about itself before it is decoded: format, size, and whether its end is there.

OpenCV would allocate whatever a header asks for, and paints what is missing of a cut-off file grey.
"""

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """`width` and `height` in pixels before any EXIF rotation; `complete`: the file has its end.

    `has_alpha`: what is seen may lie in the transparency alone, black modules on transparent black. `depth`: bits a
    channel, or of a pixel's place in the palette.
    """

    format: str
    width: int
    height: int
    complete: bool
    has_alpha: bool = False
    depth: int = 8


def header_of(data: bytes) -> Header | None:
    """The header of a PNG, JPEG, WebP or BMP; None for anything else and for one cut off within its header."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data.startswith(b"BM"):
            return _bmp(data)
    except (struct.error, IndexError):
        return None
    return None


def _png(data: bytes) -> Header | None:
    if data[12:16] != b"IHDR":  # another chunk before it could tell another size than the decoder finds
        return None
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    # A single transparent colour (tRNS outside of a palette) needs no care: no opaque pixel has that colour.
    palette_with_holes = colour == 3 and b"tRNS" in data[: data.find(b"IDAT")]
    return Header(
        "PNG", width, height, b"IEND" in data, has_alpha=bool(colour & 4) or palette_with_holes, depth=depth
    )


def _jpeg(data: bytes) -> Header | None:
    at = 2
    size: tuple[int, int] | None = None
    depth = 8
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            depth, height, width = struct.unpack_from(">BHH", data, at + 4)
            size = width, height
        at += 2 + length
        if marker == 0xDA:
            # Beyond here FF D9 is only the end; before it a thumbnail may have brought its own.
            return Header("JPEG", *size, b"\xff\xd9" in data[at:], depth=depth) if size else None


def _webp(data: bytes) -> Header | None:
    (length,) = struct.unpack_from("<I", data, 4)
    complete = len(data) >= length + 8
    kind = data[12:16]
    has_alpha = False
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        has_alpha = bool(data[20] & 0x10)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        has_alpha = bool(bits >> 28 & 1)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return Header("WebP", width, height, complete, has_alpha)


def _bmp(data: bytes) -> Header | None:
    (start,) = struct.unpack_from("<I", data, 10)
    header_length, width, height, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    if header_length < 40:
        return None
    row = (width * bits + 31) // 32 * 4
    # Run-length coded pixels have no length that the header tells.
    complete = compression not in (0, 3) or len(data) >= start + row * abs(height)
    return Header("BMP", width, abs(height), complete)

"""Picture files and posted frames as grey pictures, and a clear refusal of everything else.

UnreadablePicture      not a picture, cut off, or absurdly large
PictureTooLarge        a picture, but larger or deeper than is taken
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.decode.engines import Grey
from scanner.decode.picture_format import header_of

MOST_PIXELS = 100_000_000
"""Beyond this a header is a mistake or an attack: 100 MP is 100 MB of grey, 300 MB while it is decoded."""

WORKING_PIXELS = 12_000_000
"""Larger pictures are reduced to this: a module is still many pixels then, and a step stays near 0.1 s."""


_BAND = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken: `pixels` and bits a channel (`depth`) that a header may tell; and to which size it is reduced."""

    pixels: int = MOST_PIXELS
    depth: int = 16
    working_pixels: int = WORKING_PIXELS
    longest_side: int = 2**31


OF_A_FILE = Limits()
OF_A_FRAME = Limits(pixels=8_300_000, depth=8, longest_side=1600)
"""Anybody may post frames: up to 3840 x 2160, which is reduced to what a webcam shows before it is decoded."""


class UnreadablePicture(ValueError):
    """There is no picture to decode. Attributes: `name` of the file (or "picture"), `reason`."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}. Take the picture again, as PNG, JPEG, WebP or BMP.")


class PictureTooLarge(UnreadablePicture):
    """A smaller one will do."""


def load_grey(path: Path) -> Grey:
    """The picture in a file, upright as its EXIF rotation says. OSError when the file can not be read."""
    # Read here, since cv2.imread has trouble with names that are not in the system's code page.
    return grey_from_bytes(path.read_bytes(), name=path.name)


def grey_from_bytes(data: bytes, *, name: str = "picture", limits: Limits = OF_A_FILE) -> Grey:
    """The picture in a PNG, JPEG, WebP or BMP: (height, width) uint8, upright, transparency as white.

    Reduced to what `limits` say. Raises UnreadablePicture, its message beginning with `name`, and does so for one
    that is too large by its header alone, before anything of it is decoded.
    """
    header = header_of(data)
    if header is None:
        raise UnreadablePicture(name, "not a picture" if data else "the file is empty")
    pixels = header.width * header.height
    if pixels <= 0 or pixels > limits.pixels:
        raise PictureTooLarge(
            name, f"{header.width} x {header.height} pixels, the limit is {limits.pixels:,}"
        )
    if header.depth > limits.depth:
        raise PictureTooLarge(name, f"{header.depth} bits a channel, the limit is {limits.depth}")
    if not header.complete:
        raise UnreadablePicture(name, f"the {header.format} file is cut off after {len(data):,} bytes")
    way = cv2.IMREAD_UNCHANGED if header.has_alpha else cv2.IMREAD_GRAYSCALE
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), way)
    except cv2.error as error:
        raise UnreadablePicture(name, f"the {header.format} file is damaged ({error.err})") from error
    if image is None:
        raise UnreadablePicture(name, f"the {header.format} file is damaged")
    grey = _on_white(np.asarray(image)) if header.has_alpha else np.asarray(image, np.uint8)
    return _reduced(grey, limits)


def _on_white(image: NDArray[np.integer[Any]]) -> Grey:
    # Label makers write black modules on nothing; without this they would lie on black. In bands: as floating
    # point numbers the whole takes many times its memory.
    bands = [_band_on_white(image[top : top + _BAND]) for top in range(0, image.shape[0], _BAND)]
    return np.concatenate(bands)


def _band_on_white(image: NDArray[np.integer[Any]]) -> Grey:
    whole = np.asarray(image, np.float32) / np.iinfo(image.dtype).max
    if whole.ndim == 2:
        return np.asarray(np.rint(whole * 255), np.uint8)
    grey = cv2.cvtColor(whole[:, :, :3], cv2.COLOR_BGR2GRAY)
    # A header can promise transparency that the file does not have.
    alpha = whole[:, :, 3] if whole.shape[2] == 4 else np.float32(1)
    return np.asarray(np.rint((grey * alpha + 1 - alpha) * 255), np.uint8)


def _reduced(image: Grey, limits: Limits) -> Grey:
    factor = min((limits.working_pixels / image.size) ** 0.5, limits.longest_side / max(image.shape))
    if factor >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)

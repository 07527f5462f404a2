"""Preparations: what is done to a grey picture before an engine sees it, and the way back to its pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.decode.engines import Grey
from scanner.decode.reading import Point

Affine = NDArray[np.float64]
"""(2, 3): pixels of the prepared picture -> pixels of the original."""

UNCHANGED: Affine = np.eye(2, 3)

_LARGEST_ENLARGED = 4_000_000
"""Pixels; enlarging helps modules of one or two pixels, and a larger result costs more than it brings."""

_MARGIN = 0.15
"""Share of a code's length added around its place: quiet zones, and the bars above and below a scan line."""
_LEAST_MARGIN = 16
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Prepared:
    image: Grey
    to_original: Affine


Prepare = Callable[[Grey], Prepared | None]


def raw(image: Grey) -> Prepared:
    return Prepared(image, UNCHANGED)


def brightened(image: Grey) -> Prepared:
    """Gamma 0.5: opens the shadows in which a dark tag's modules hide."""
    return Prepared(_grey(cv2.LUT(image, _gamma_table())), UNCHANGED)


def inverted(image: Grey) -> Prepared:
    """Black and white exchanged: neither engine reads a bar code that is light on dark."""
    return Prepared(_grey(cv2.bitwise_not(image)), UNCHANGED)


def flattened(image: Grey) -> Prepared:
    """Divided by the background: shadow, gloss and the curve of the bottle go, the modules stay."""
    # An eighth of the picture is wider than a module and narrower than a shadow; a quarter and a twelfth did worse.
    window = max(3, min(image.shape) // 8) | 1
    background = cv2.blur(image, (window, window))
    return Prepared(_grey(cv2.divide(image, background, scale=200)), UNCHANGED)


def contrasted(image: Grey) -> Prepared:
    """CLAHE: contrast evened out tile by tile."""
    return Prepared(_grey(cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(image)), UNCHANGED)


def sharpened(image: Grey) -> Prepared:
    """Unsharp mask against a lens that is out of focus."""
    soft = cv2.GaussianBlur(image, (0, 0), 2)
    return Prepared(_grey(cv2.addWeighted(image, 3.0, soft, -2.0, 0)), UNCHANGED)


def softened(image: Grey) -> Prepared:
    """A little blur joins the dots of an engraved code."""
    return Prepared(_grey(cv2.GaussianBlur(image, (0, 0), 1.5)), UNCHANGED)


def turned(degrees: float) -> Prepare:
    """Turned counter-clockwise; what is outside of the picture gets its median grey."""

    def prepare(image: Grey) -> Prepared:
        height, width = image.shape
        side = int(np.hypot(height, width))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        matrix[:, 2] += side / 2 - width / 2, side / 2 - height / 2
        paper = int(np.median(image[::8, ::8]))
        result = cv2.warpAffine(image, matrix, (side, side), borderValue=(paper,))
        return Prepared(_grey(result), np.asarray(cv2.invertAffineTransform(matrix), np.float64))

    return prepare


def scaled(x: float, y: float) -> Prepare:
    """Resized by these factors; nothing for a picture that is too small to shrink or too large to enlarge."""

    def prepare(image: Grey) -> Prepared | None:
        height, width = round(image.shape[0] * y), round(image.shape[1] * x)
        if min(height, width) < 1 or (max(x, y) > 1 and height * width > _LARGEST_ENLARGED):
            return None
        way = cv2.INTER_AREA if max(x, y) < 1 else cv2.INTER_CUBIC
        resized = cv2.resize(image, (width, height), interpolation=way)
        return Prepared(_grey(resized), _scaling(image.shape[1] / width, image.shape[0] / height))

    return prepare


def both(first: Prepare, second: Prepare) -> Prepare:
    """One preparation after the other; nothing when either has no sense."""

    def prepare(image: Grey) -> Prepared | None:
        before = first(image)
        after = second(before.image) if before else None
        if before is None or after is None:
            return None
        return Prepared(after.image, chained(before.to_original, after.to_original))

    return prepare


def upright(image: Grey, polygon: tuple[Point, ...]) -> Prepared:
    """The place of a code with a margin, its edges along the picture's."""
    (x, y), (width, height), degrees = cv2.minAreaRect(np.array(polygon, np.float32))
    margin = max(_LEAST_MARGIN, _MARGIN * max(width, height))
    size = int(width + 2 * margin), int(height + 2 * margin)
    matrix = cv2.getRotationMatrix2D((x, y), degrees, 1)
    matrix[:, 2] += np.array([size[0] / 2 - x, size[1] / 2 - y])
    place = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Prepared(_grey(place), np.asarray(cv2.invertAffineTransform(matrix), np.float64))


def chained(outer: Affine, inner: Affine) -> Affine:
    """The way back through `inner` first and then through `outer`."""
    return np.asarray(outer[:, :2] @ inner + np.array([[0, 0, x] for x in outer[:, 2]]), np.float64)


def placed(polygon: tuple[Point, ...], way: Affine) -> tuple[Point, ...]:
    """The polygon after the way back, in whole pixels."""
    points = np.array(polygon) @ way[:, :2].T + way[:, 2]
    return tuple((round(x), round(y)) for x, y in points.tolist())


def _grey(image: NDArray[np.generic]) -> Grey:
    return np.asarray(image, np.uint8)


def _scaling(x: float, y: float) -> Affine:
    return np.array([[x, 0, 0], [0, y, 0]], np.float64)


@lru_cache(maxsize=1)
def _gamma_table() -> Grey:
    return np.round(255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)

"""Which readings of one picture can be believed, given everything else that was read in it.

A misread code is a wrong cylinder in the ledger, so the aim is no invention at all, at the price of a code read
less. Measured on photographs:

- A QR code or Data Matrix from zxing counts on one read: error correction refuses what is not a code.
- A bar code counts when two different steps read it equally. Its one check character lets one misreading in ten
  (EAN) to a hundred (Code 128) through, and both engines do invent on blurred and glossy labels.
- So does a QR code from zbar when its text is ASCII. Beyond ASCII zbar guesses the encoding, and guesses wrong
  equally often in every step, so that zxing must say it too.
- Where something else was read at the same place, it takes both engines; and no text counts on the word of a
  step that read two there.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.decode.reading import Reading

_BAR_HEIGHT = 0.1
"""Share of its length by which a bar code is taken to reach beyond the scan line that read it."""


def is_ghost(reading: Reading) -> bool:
    """Whether the reading has no size: zbar lists such codes, and a code of two dimensions that is a line."""
    if not reading.polygon:
        return True
    width, height = np.ptp(np.array(reading.polygon), axis=0)
    return bool(max(width, height) == 0 or (not reading.is_linear and min(width, height) == 0))


def overlap(one: Reading, other: Reading) -> bool:
    """Whether two readings claim some of the same place in the picture."""
    area, _ = cv2.intersectConvexConvex(_outline(one), _outline(other))
    return bool(area > 0)


def contradicted(reading: Reading, others: Iterable[Reading]) -> bool:
    """Whether one of `others` says something else at the reading's place.

    A bar code imagined across a Data Matrix does not make the Data Matrix doubtful; a Data Matrix makes the bar
    code so.
    """
    return any(
        other.text != reading.text and (reading.is_linear or not other.is_linear) and overlap(reading, other)
        for other in others
    )


def believed(reading: Reading, seen: Sequence[Reading]) -> bool:
    """Whether `reading`, which is among everything `seen` in this picture so far, can be believed."""
    if contradicted(reading, (other for other in seen if other.step == reading.step)):
        return False
    if reading.decoder == "zxing" and not reading.is_linear:
        return True
    equal = [other for other in seen if (other.text, other.symbology) == (reading.text, reading.symbology)]
    exact = reading.decoder == "zxing" or reading.text.isascii()
    if not exact or contradicted(reading, seen):
        return len({other.decoder for other in equal}) > 1
    return len({other.step for other in equal}) > 1


def _outline(reading: Reading) -> NDArray[np.float32]:
    points = np.array(reading.polygon, np.float32)
    reach = max(1.0, _BAR_HEIGHT * float(np.max(np.ptp(points, axis=0)))) if reading.is_linear else 1.0
    corners = np.array([[-reach, -reach], [reach, -reach], [reach, reach], [-reach, reach]], np.float32)
    spread = (points[:, None] + corners[None]).reshape(-1, 2)
    return np.asarray(cv2.convexHull(spread), np.float32)

"""The cascade's steps in the order in which they are tried.

The order was chosen by measuring on photographs: what reads most per millisecond comes first, and what only
repeats an earlier step was left out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.decode.engines import Engine, Grey, read_with_pyzbar, read_with_zxing
from scanner.decode.preparing import (
    Prepared,
    both,
    brightened,
    contrasted,
    flattened,
    inverted,
    raw,
    scaled,
    sharpened,
    softened,
    turned,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One way of reading. `prepare` gives None for a picture on which the step has no sense."""

    name: str
    prepare: Callable[[Grey], Prepared | None]
    engine: Engine


_ZBAR = Step("zbar raw", raw, read_with_pyzbar)
_RAW = Step("raw", raw, read_with_zxing)
_FLAT = Step("flat", flattened, read_with_zxing)
_ZBAR_INVERTED = Step("zbar inverted", inverted, read_with_pyzbar)
_UNSHARP = Step("unsharp", sharpened, read_with_zxing)
_FLAT_DOUBLE = Step("flat double", both(flattened, scaled(2, 2)), read_with_zxing)
_STRETCHED = Step("stretched", scaled(2, 1), read_with_zxing)
_DOUBLE = Step("double", scaled(2, 2), read_with_zxing)
_ZBAR_DOUBLE = Step("zbar double", scaled(2, 2), read_with_pyzbar)

STEPS = (
    _RAW,
    Step("gamma", brightened, read_with_zxing),
    _FLAT,
    Step("zbar half", scaled(1 / 2, 1 / 2), read_with_pyzbar),
    Step("half clahe", both(scaled(1 / 2, 1 / 2), contrasted), read_with_zxing),
    _ZBAR,
    _UNSHARP,
    Step("turned 45", turned(45), read_with_zxing),
    _FLAT_DOUBLE,
    _STRETCHED,
    Step("turned 22", turned(22), read_with_zxing),
    Step("turned 67", turned(67), read_with_zxing),
    Step("inverted", inverted, read_with_zxing),
    Step("zbar third", scaled(1 / 3, 1 / 3), read_with_pyzbar),
    Step("flat soft", both(flattened, softened), read_with_zxing),
    Step("clahe soft", both(contrasted, softened), read_with_zxing),
    _DOUBLE,
    _ZBAR_DOUBLE,
)

_INVERTED_DOUBLE = Step("inverted double", both(inverted, scaled(2, 2)), read_with_zxing)

SECOND_LOOKS = (
    _ZBAR,
    _RAW,
    _FLAT,
    _ZBAR_DOUBLE,
    _DOUBLE,
    _FLAT_DOUBLE,
    _STRETCHED,
    _UNSHARP,
    _ZBAR_INVERTED,
    _INVERTED_DOUBLE,  # without libzbar the only second witness of a bar code that is light on dark
)
"""Tried on the place of a code that one read does not prove, the other engine first. They keep their names: the
same step over the whole picture and over the place is one witness, not two."""

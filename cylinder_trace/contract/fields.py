"""The kinds of value an event's fields are made of: bounded, rounded and written one way only."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, StringConstraints

CylinderClass = Literal[
    "seamless_steel",
    "seamless_aluminium",
    "welded_steel",
    "lpg_bottle",
    "dme_bottle",
    "acetylene",
    "vehicle_cng",
    "vehicle_lpg",
    "vehicle_h2",
    "cryogenic",
    "breathing_composite",
    "mixture_shell",
]
"""气瓶品种; the keys of the law tables."""

PassFail = Literal["pass", "fail"]

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:@-]+$")]
"""An identifier somebody else gave out: letters (of any script), digits and . : @ _ -"""

Medium = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9_+-]*$")]
"""A medium's code in the law tables (`lpg`, `o2`, `c2h2`); a mixture is joined with + (`ar+co2`)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Adcode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""行政区划代码, GB/T 2260."""


def _three_decimals(value: float) -> float:
    return round(value, 3)


def _six_decimals(value: float) -> float:
    return round(value, 6)


def _plausible_moment(moment: datetime) -> datetime:
    if not 1900 <= moment.year <= 2200:
        raise ValueError("the year must lie between 1900 and 2200; set the device's clock")
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        raise ValueError("give the time with an offset of whole minutes, as in +08:00")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Kg = Annotated[float, Field(ge=0, le=50_000, allow_inf_nan=False), AfterValidator(_three_decimals)]
Mpa = Annotated[float, Field(ge=0, le=200, allow_inf_nan=False), AfterValidator(_three_decimals)]
Litres = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False), AfterValidator(_three_decimals)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), AfterValidator(_six_decimals)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), AfterValidator(_six_decimals)]

Moment = Annotated[
    AwareDatetime,
    AfterValidator(_plausible_moment),
    PlainSerializer(
        lambda moment: moment.isoformat(timespec="milliseconds"), return_type=str, when_used="json"
    ),
]
"""A time with its offset, to the millisecond."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware datetime: the integer form of time used inside the server."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def moment_of(ms: int) -> datetime:
    """The aware UTC datetime of `ms` milliseconds since 1970: the way back from `epoch_ms`."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
